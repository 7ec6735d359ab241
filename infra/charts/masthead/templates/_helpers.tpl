{{- define "masthead.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "masthead.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "masthead.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "masthead.collectorName" -}}
{{- $name := include "masthead.fullname" . -}}
{{- if hasSuffix "-collector" $name }}{{ $name }}{{ else }}{{ printf "%s-collector" $name }}{{ end -}}
{{- end -}}

{{/*
What tells the pods of one part from all others; call with (list $ "server"). `app` is what
collectors of logs look at, so that {app="masthead"} and {app="masthead-collector"} are its lines.
*/}}
{{- define "masthead.selectorLabels" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
app: {{ ternary (include "masthead.collectorName" $root) (include "masthead.fullname" $root) (eq $component "collector") }}
app.kubernetes.io/name: {{ include "masthead.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ $component }}
{{- end -}}

{{- define "masthead.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: masthead
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "masthead.labels" -}}
{{ include "masthead.selectorLabels" . }}
{{ include "masthead.commonLabels" (index . 0) }}
{{- end -}}

{{/* Of the Services that stand for others: not those that the ServiceMonitor selects. */}}
{{- define "masthead.aliasLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "masthead.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{ include "masthead.commonLabels" $root }}
{{- end -}}

{{- define "masthead.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "masthead.adminSecret" -}}
{{- default .Values.admin.secretName .Values.admin.existingSecret -}}
{{- end -}}

{{- define "masthead.tokenSecret" -}}
{{- printf "%s-tokens" (include "masthead.fullname" .) -}}
{{- end -}}

{{/* Where the collector's token is; empty when it has none. */}}
{{- define "masthead.pushTokenSecret" -}}
{{- if .Values.collector.tokenSecret.name -}}{{ .Values.collector.tokenSecret.name }}
{{- else if .Values.server.enabled -}}{{ include "masthead.tokenSecret" . }}{{- end -}}
{{- end -}}

{{- define "masthead.url" -}}
{{- $root := index . 0 -}}
{{- printf "http://%s.%s.svc:%d%s" (index . 1) $root.Release.Namespace (index . 2) (index . 3) -}}
{{- end -}}

{{- define "masthead.lokiUrl" -}}
{{- if .Values.collector.lokiUrl -}}{{ .Values.collector.lokiUrl }}
{{- else -}}{{ include "masthead.url" (list . (include "masthead.fullname" .) 3000 "/loki/api/v1/push") }}{{- end -}}
{{- end -}}

{{- define "masthead.remoteWriteUrl" -}}
{{- if .Values.collector.remoteWriteUrl -}}{{ .Values.collector.remoteWriteUrl }}
{{- else -}}{{ include "masthead.url" (list . (include "masthead.fullname" .) 3000 "/api/v1/write") }}{{- end -}}
{{- end -}}

{{/* The collector measures something, so it needs somewhere to write samples. */}}
{{- define "masthead.collectsMetrics" -}}
{{- if or .Values.collector.kubelet .Values.collector.host }}true{{ end -}}
{{- end -}}

{{/* The collector asks the API server about pods. */}}
{{- define "masthead.readsPods" -}}
{{- if and .Values.collector.logs .Values.collector.podLabels }}true{{ end -}}
{{- end -}}

{{- define "masthead.validate" -}}
{{- if and .Values.collector.enabled (not .Values.server.enabled) -}}
{{- if and .Values.collector.logs (not .Values.collector.lokiUrl) -}}
{{- fail "without a server in this release the collector needs collector.lokiUrl, or collector.logs=false" -}}
{{- end -}}
{{- if and (include "masthead.collectsMetrics" .) (not .Values.collector.remoteWriteUrl) -}}
{{- fail "without a server in this release the collector needs collector.remoteWriteUrl, or collector.kubelet=false and collector.host=false" -}}
{{- end -}}
{{- end -}}
{{- if not (or .Values.collector.enabled .Values.server.enabled) -}}
{{- fail "server.enabled and collector.enabled are both false: there is nothing to install" -}}
{{- end -}}
{{- end -}}

{{- define "masthead.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
