{{/*
masthead.yaml of the server and of the collector, as dictionaries: `server.config` and
`collector.config` are merged over them. docs/reference/config.md has every key.
*/}}
{{- define "masthead.serverConfig" -}}
{{- $server := .Values.server -}}
data: /var/lib/masthead
listen:
  address: 0.0.0.0:3000
  prometheus: 0.0.0.0:9090
  loki: 0.0.0.0:3100
metrics:
  global:
    scrape_interval: {{ $server.scrapeInterval }}
  storage:
    retention_time: {{ $server.retention.metrics }}
    retention_size: {{ $server.retention.metricsSize }}
logs:
  storage:
    retention_time: {{ $server.retention.logs }}
    retention_size: {{ $server.retention.logsSize }}
observe:
  # Of the node's, that the server happens to run on, the collector has them.
  host: false
  # The ServiceMonitor has it scraped; twice would be once too often.
  self: {{ not .Values.serviceMonitor.enabled }}
{{- end -}}

{{- define "masthead.collectorConfig" -}}
{{- $collector := .Values.collector -}}
data: /var/lib/masthead-collector
listen:
  address: {{ printf "127.0.0.1:%d" (int $collector.port) }}
observe:
  host: {{ $collector.host }}
  {{- if $collector.logs }}
  pods_log_dir: /var/log/pods
  {{- end }}
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
