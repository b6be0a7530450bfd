{{- define "dnsd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 57 | trimSuffix "-" }}
{{- end }}

{{/* Of every object; room is left for "-node" and "-peers". */}}
{{- define "dnsd.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 57 | trimSuffix "-" }}
{{- else if contains (include "dnsd.name" .) .Release.Name }}
{{- .Release.Name | trunc 57 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "dnsd.name" .) | trunc 57 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "dnsd.selector" -}}
app.kubernetes.io/name: {{ include "dnsd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dnsd.labels" -}}
{{ include "dnsd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "dnsd.replicas" -}}
{{- if kindIs "invalid" .Values.statefulSet.replicas }}
{{- ternary 2 1 (ne .Values.consul.address "") }}
{{- else }}
{{- .Values.statefulSet.replicas }}
{{- end }}
{{- end }}

{{/* What cannot work is refused here, not found out later. */}}
{{- define "dnsd.judge" -}}
{{- if not (or .Values.statefulSet.enabled .Values.daemonSet.enabled) }}
{{- fail "neither statefulSet.enabled nor daemonSet.enabled: there is nothing to install" }}
{{- end }}
{{- if not .Values.consul.address }}
{{- if gt (int (include "dnsd.replicas" .)) 1 }}
{{- fail "statefulSet.replicas > 1 without consul.address: each would be a registry of its own" }}
{{- end }}
{{- if .Values.daemonSet.enabled }}
{{- fail "daemonSet.enabled without consul.address: each node would be a registry of its own" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The pod of both workloads. Needs: root, component, tolerations. priorityClassName is optional. */}}
{{- define "dnsd.podTemplate" -}}
{{- $root := .root }}
{{- with .root }}
metadata:
  labels:
    {{- include "dnsd.labels" . | nindent 4 }}
    app.kubernetes.io/component: {{ $.component }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "dnsd.fullname" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 8600
    runAsGroup: 8600
    fsGroup: 8600
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: dnsd
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - agent
        - -config-dir=/etc/dnsd.d
        - -data-dir=/var/lib/dnsd
        - -client=0.0.0.0
        - -domain={{ .Values.domain }}
        # The services have port 53: no capability is needed.
        - -dns-port=8600
        - -http-port=8500
        {{- with .Values.consul.address }}
        - -consul-http-addr={{ . }}
        {{- end }}
        {{- if .Values.consul.tokenSecret.name }}
        - -consul-token-file=/run/secrets/dnsd/{{ .Values.consul.tokenSecret.key }}
        {{- end }}
        {{- range .Values.recursors }}
        - -recursor={{ . }}
        {{- end }}
        {{- range .Values.extraArgs }}
        - {{ . | quote }}
        {{- end }}
      ports:
        - {name: dns-udp, containerPort: 8600, protocol: UDP}
        - {name: dns-tcp, containerPort: 8600, protocol: TCP}
        - {name: http, containerPort: 8500, protocol: TCP}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      # It lives as long as its event loops turn, and is asked from when its
      # catalog is loaded until it stops. A Consul that is away is no reason to
      # end what still answers.
      startupProbe:
        exec:
          command: [/usr/bin/dnsd, health, -http-addr=127.0.0.1:8500]
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: 30
      readinessProbe:
        exec:
          command: [/usr/bin/dnsd, health, -ready, -http-addr=127.0.0.1:8500]
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      livenessProbe:
        exec:
          command: [/usr/bin/dnsd, health, -http-addr=127.0.0.1:8500]
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 6
      {{- with .Values.preStopSleepSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - {name: config, mountPath: /etc/dnsd.d, readOnly: true}
        - {name: data, mountPath: /var/lib/dnsd}
        {{- if .Values.consul.tokenSecret.name }}
        - {name: token, mountPath: /run/secrets/dnsd, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "dnsd.fullname" . }}
    {{- if eq $.component "node" }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- if .Values.consul.tokenSecret.name }}
    - name: token
      secret:
        secretName: {{ .Values.consul.tokenSecret.name }}
        defaultMode: 0440
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
