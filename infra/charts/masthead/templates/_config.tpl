{{/*
masthead.yaml of the server and of the collector, as dictionaries: `server.config` and
`collector.config` are merged over them. docs/reference/config.md has every key.
*/}}
{{- define "masthead.serverConfig" -}}
{{- $server := .Values.server -}}
{{- $ports := $server.discovery.portNames -}}
data: /var/lib/masthead
listen:
  address: 0.0.0.0:3000
  prometheus: 0.0.0.0:9090
  loki: 0.0.0.0:3100
metrics:
  global:
    scrape_interval: {{ $server.scrapeInterval }}
  {{- if or $ports $server.discovery.kubeStateMetrics }}
  scrape_configs:
    {{- if $ports }}
    # The ports of these names of every Service, with the labels that a ServiceMonitor would give.
    - job_name: services
      kubernetes_sd_configs:
        - role: endpoints
      relabel_configs:
        - source_labels: [__meta_kubernetes_endpoint_port_name]
          regex: {{ join "|" $ports }}
          action: keep
        - source_labels: [__meta_kubernetes_pod_phase]
          regex: Failed|Succeeded
          action: drop
        {{- range $source, $target := dict "namespace" "namespace" "service_name" "service" "pod_name" "pod" "pod_container_name" "container" "endpoint_port_name" "endpoint" }}
        - source_labels: [__meta_kubernetes_{{ $source }}]
          target_label: {{ $target }}
        {{- end }}
        - source_labels: [__meta_kubernetes_service_name]
          target_label: job
        - source_labels: [__meta_kubernetes_service_label_app]
          regex: (.+)
          target_label: app
    {{- end }}
    {{- if $server.discovery.kubeStateMetrics }}
    # What it says is about other pods: their labels stay.
    - job_name: kube-state-metrics
      honor_labels: true
      kubernetes_sd_configs:
        - role: endpoints
          namespaces:
            names: [{{ .Release.Namespace }}]
      relabel_configs:
        - source_labels: [__meta_kubernetes_service_label_app_kubernetes_io_name, __meta_kubernetes_endpoint_port_name]
          regex: kube-state-metrics;http
          action: keep
        - source_labels: [__meta_kubernetes_pod_name]
          target_label: pod
    {{- end }}
  {{- end }}
  storage:
    retention_time: {{ $server.retention.metrics }}
    retention_size: {{ $server.retention.metricsSize }}
logs:
  storage:
    retention_time: {{ $server.retention.logs }}
    retention_size: {{ $server.retention.logsSize }}
{{- if or $server.discovery.monitors $server.discovery.dashboards }}
kubernetes:
  # Monitors, and dashboards in ConfigMaps, of every namespace.
  enabled: true
  dashboard_selector: {{ $server.discovery.dashboardLabel }}
{{- end }}
observe:
  # Of the node's, that the server happens to run on, the collector has them.
  host: false
  # Its own ServiceMonitor has it scraped; twice would be once too often.
  self: {{ not (and .Values.serviceMonitor.enabled $server.discovery.monitors) }}
  # Its log is a pod's, which collectors read.
  self_logs: {{ not (and .Values.collector.enabled .Values.collector.logs) }}
{{- end -}}

{{/* The command of the collector: it keeps nothing but journals of what is on its way. */}}
{{- define "masthead.collectorCommand" -}}collect{{- end -}}

{{- define "masthead.collectorConfig" -}}
{{- $collector := .Values.collector -}}
data: /var/lib/masthead-collector
listen:
  address: {{ printf "127.0.0.1:%d" (int $collector.port) }}
  # The node may have others of these names.
  prometheus: "off"
  loki: "off"
observe:
  host: {{ $collector.host }}
  # It is read below /var/log/pods like any other.
  self_logs: false
  {{- if $collector.logs }}
  pods_log_dir: /var/log/pods
  {{- end }}
{{- if include "masthead.readsPods" . }}
kubernetes:
  # Labels of the node's pods, for their lines. A collector reads nothing else of the cluster.
  enabled: true
{{- end }}
forward:
  journal_size: {{ $collector.journalSize }}
{{- if include "masthead.collectsMetrics" . }}
metrics:
  global:
    scrape_interval: {{ $collector.scrapeInterval }}
    external_labels:
      node: ${NODE_NAME}
      # Where a series has no instance of its own.
      instance: ${NODE_NAME}
  {{- if $collector.kubelet }}
  scrape_configs:
    {{- range $path := list "/metrics" "/metrics/cadvisor" }}
    - job_name: {{ ternary "kubelet" "cadvisor" (eq $path "/metrics") }}
      scheme: https
      metrics_path: {{ $path }}
      authorization:
        credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
      # A kubelet's certificate is its own, for a name that nobody knows; it does not leave the node.
      tls_config:
        insecure_skip_verify: true
      static_configs:
        - targets: [127.0.0.1:10250]
      relabel_configs:
        # As the operator's ServiceMonitor for kubelets has it, which dashboards expect.
        - target_label: job
          replacement: kubelet
        - target_label: metrics_path
          replacement: {{ $path }}
      metric_relabel_configs:
        # It would be 127.0.0.1:10250 on every node.
        - action: labeldrop
          regex: instance
    {{- end }}
  {{- end }}
  remote_write:
    - url: {{ include "masthead.remoteWriteUrl" . }}
      {{- if include "masthead.pushTokenSecret" . }}
      authorization:
        credentials_file: /etc/masthead/token/{{ $collector.tokenSecret.key }}
      {{- end }}
{{- end }}
{{- if $collector.logs }}
logs:
  clients:
    - url: {{ include "masthead.lokiUrl" . }}
      {{- if include "masthead.pushTokenSecret" . }}
      bearer_token_file: /etc/masthead/token/{{ $collector.tokenSecret.key }}
      {{- end }}
{{- end }}
{{- end -}}
