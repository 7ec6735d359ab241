{{- define "api.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "api.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "api.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What tells the pods of this release from all others: the selector of Deployment, Service,
PodDisruptionBudget, NetworkPolicy and ServiceMonitor, and labels of pods and Service. One
definition, because a selector that differs from the labels by one letter selects nothing, silently.
`app` is there for people and for collectors, who make {app="api"} of it.
*/}}
{{- define "api.selectorLabels" -}}
app: {{ include "api.name" . }}
app.kubernetes.io/name: {{ include "api.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "api.labels" -}}
{{ include "api.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: api
app.kubernetes.io/part-of: masthead
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "api.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "api.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "api.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* "true" when the items are in SQLite, on a volume of the pod. */}}
{{- define "api.usesSqlite" -}}
{{- if not (or .Values.database.url .Values.database.existingSecret.name) -}}true{{- end -}}
{{- end -}}

{{- define "api.databaseSecretName" -}}
{{- default (printf "%s-database" (include "api.fullname" .)) .Values.database.existingSecret.name -}}
{{- end -}}

{{/* Values that fit one by one and not together end the rendering, with the way out. */}}
{{- define "api.validate" -}}
{{- $many := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- if and $many (include "api.usesSqlite" .) -}}
{{- fail "more than one replica needs a database that all share: set database.url or database.existingSecret.name, or replicaCount=1 and autoscaling.enabled=false" -}}
{{- end -}}
{{- if ge (int .Values.shutdown.delaySeconds) (int .Values.shutdown.graceSeconds) -}}
{{- fail "shutdown.delaySeconds must be shorter than shutdown.graceSeconds" -}}
{{- end -}}
{{- if eq (int .Values.service.port) (int .Values.service.metricsPort) -}}
{{- fail "service.port and service.metricsPort must differ" -}}
{{- end -}}
{{- end -}}
