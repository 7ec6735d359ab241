"""What a ServiceMonitor becomes: the scrape configuration that prometheus-operator v0.93 makes of
it, as far as the charts here use its fields, and the labels that one endpoint then has.
"""

import re

from . import relabel
from .objects import labels, namespace, of_kind, one, pods, selects


def _sanitized(name):
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def scrape_configs(monitor):
    """One for each endpoint, key for key and rule for rule in the operator's order."""
    known = {"selector", "namespaceSelector", "targetLabels", "endpoints"}
    if unknown := set(monitor["spec"]) - known:
        raise ValueError(f"the tests do not translate {sorted(unknown)}")
    return [_scrape_config(monitor, at, endpoint) for at, endpoint in enumerate(monitor["spec"]["endpoints"])]


def _scrape_config(monitor, at, endpoint):
    spec, where = monitor["spec"], namespace(monitor)
    names = (spec.get("namespaceSelector") or {}).get("matchNames") or [where]
    kind, name = (f"__meta_kubernetes_endpoint_address_target_{part}" for part in ("kind", "name"))
    rules = [{"source_labels": ["job"], "target_label": "__tmp_prometheus_job_name"}]
    for key, value in sorted(spec["selector"]["matchLabels"].items()):
        meta = "__meta_kubernetes_service_"
        sources = [f"{meta}label_{_sanitized(key)}", f"{meta}labelpresent_{_sanitized(key)}"]
        rules.append({"action": "keep", "source_labels": sources, "regex": f"({value});true"})
    port = "__meta_kubernetes_endpoint_port_name"
    rules.append({"action": "keep", "source_labels": [port], "regex": endpoint["port"]})
    for what in ("Node", "Pod"):
        rules.append(
            {
                "source_labels": [kind, name],
                "separator": ";",
                "regex": f"{what};(.*)",
                "replacement": "${1}",
                "target_label": what.lower(),
            }
        )
    for source, target in (
        ("namespace", "namespace"),
        ("service_name", "service"),
        ("pod_name", "pod"),
        ("pod_container_name", "container"),
    ):
        rules.append({"source_labels": [f"__meta_kubernetes_{source}"], "target_label": target})
    phase = "__meta_kubernetes_pod_phase"
    rules.append({"action": "drop", "source_labels": [phase], "regex": "(Failed|Succeeded)"})
    for label in spec.get("targetLabels") or []:
        source = f"__meta_kubernetes_service_label_{_sanitized(label)}"
        rules.append(
            {
                "source_labels": [source],
                "target_label": _sanitized(label),
                "regex": "(.+)",
                "replacement": "${1}",
            }
        )
    job = "__meta_kubernetes_service_name"
    rules.append({"source_labels": [job], "target_label": "job", "replacement": "${1}"})
    rules.append({"target_label": "endpoint", "replacement": endpoint["port"]})
    rules += [
        {
            "source_labels": ["__address__", "__tmp_hash"],
            "target_label": "__tmp_hash",
            "regex": "(.+);",
            "replacement": "$1",
            "action": "replace",
        },
        {"source_labels": ["__tmp_hash"], "target_label": "__tmp_hash", "modulus": 1, "action": "hashmod"},
        {
            "source_labels": ["__tmp_hash", "__tmp_disable_sharding"],
            "target_label": None,
            "regex": "$(SHARD);|.+;.+",
            "action": "keep",
        },
    ]
    del rules[-1]["target_label"]
    config = {
        "job_name": f"serviceMonitor/{where}/{monitor['metadata']['name']}/{at}",
        "honor_labels": False,
        "kubernetes_sd_configs": [{"role": "endpoints", "namespaces": {"names": names}}],
        "scrape_interval": endpoint["interval"],
        "scrape_timeout": endpoint["scrapeTimeout"],
        "metrics_path": endpoint["path"],
        "relabel_configs": rules,
    }
    return config


def targets(objects, monitor_name):
    """The labels of every target that the ServiceMonitor finds among the rendered objects, when
    each workload has one running pod."""
    configs = scrape_configs(one(objects, "ServiceMonitor", monitor_name))
    return [target for config in configs for target in found_by(config, objects)]


def found_by(config, objects):
    """The same for any scrape configuration with role endpoints."""
    found = []
    for service in of_kind(objects, "Service"):
        for meta in _endpoints(service, objects, config):
            result = relabel.apply(config["relabel_configs"], meta | {"job": config["job_name"]})
            if result:
                path = config.get("metrics_path", "/metrics")
                found.append(relabel.visible(result) | {"__metrics_path__": path})
    return found


def _endpoints(service, objects, config):
    where = namespace(service)
    if where not in config["kubernetes_sd_configs"][0].get("namespaces", {}).get("names", [where]):
        return
    for workload, labels_of_pod, spec in pods(objects):
        if namespace(workload) != where or not selects(service["spec"]["selector"], labels_of_pod):
            continue
        for port in service["spec"]["ports"]:
            for container in spec["containers"]:
                for declared in container.get("ports") or []:
                    if port["targetPort"] not in (declared.get("name"), declared["containerPort"]):
                        continue
                    meta = "__meta_kubernetes_"
                    pod = f"{workload['metadata']['name']}-0"
                    yield {
                        "__address__": f"10.0.0.1:{declared['containerPort']}",
                        f"{meta}namespace": where,
                        f"{meta}service_name": service["metadata"]["name"],
                        f"{meta}endpoint_port_name": port["name"],
                        f"{meta}endpoint_address_target_kind": "Pod",
                        f"{meta}endpoint_address_target_name": pod,
                        f"{meta}pod_name": pod,
                        f"{meta}pod_container_name": container["name"],
                        f"{meta}pod_phase": "Running",
                    } | _label_metas(f"{meta}service_", labels(service))


def _label_metas(prefix, having):
    metas = {}
    for key, value in having.items():
        metas[f"{prefix}label_{_sanitized(key)}"] = value
        metas[f"{prefix}labelpresent_{_sanitized(key)}"] = "true"
    return metas
