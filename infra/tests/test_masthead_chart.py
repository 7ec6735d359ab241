"""The chart `masthead`: what its README promises, on the rendered objects."""

import base64
import hashlib
import ipaddress
import json
import re
import unittest

import yaml

from chartlib import INFRA, ROOT, checks, helm, servicemonitor
from chartlib.objects import containers, env, labels, of_kind, one, pods, selects

CHART = INFRA / "charts" / "masthead"
COLLECTOR_ALONE = {
    "server": {"enabled": False},
    "collector": {"kubelet": False, "host": False, "lokiUrl": "http://loki:3100/loki/api/v1/push"},
}
FLAVOURS = {
    "defaults": ({}, ()),
    "everything": (
        {
            "admin": {"existingSecret": "mine"},
            "imagePullSecrets": [{"name": "registry"}],
            "server": {
                "persistence": {"storageClass": "standard"},
                "discovery": {"secrets": [{"namespace": "shop", "names": ["password"]}]},
                "config": {"query": {"timeout": "1m"}},
                "extraArgs": ["--query.max-samples=1000000"],
            },
            "serviceMonitor": {"labels": {"release": "stack"}},
            "networkPolicy": {"from": [{"namespaceSelector": {}}]},
        },
        [("Secret", "mine")],
    ),
    "the collector alone": (COLLECTOR_ALONE, ()),
    "the server alone": ({"collector": {"enabled": False}}, ()),
    "nothing optional": (
        {
            "serviceMonitor": {"enabled": False},
            "networkPolicy": {"enabled": False},
            "rbac": {"create": False},
            "server": {
                "services": {"prometheus": "", "grafana": "", "loki": ""},
                "discovery": {"monitors": False, "dashboards": False},
            },
        },
        (),
    ),
}


def rendered(values=None, release="masthead", namespace="monitoring", anew=False):
    return helm.objects(CHART, values, release, namespace, anew)


def config_of(objects, name):
    return yaml.safe_load(one(objects, "ConfigMap", name)["data"]["masthead.yaml"])


class EveryFlavour(unittest.TestCase):
    def test_objects_are_valid_limited_hardened_and_find_each_other(self):
        for name, (values, outside) in FLAVOURS.items():
            objects = rendered(values)
            for check in checks.EVERY:
                with self.subTest(flavour=name, check=check.__name__):
                    arguments = {checks.references: (outside,), checks.hardening: (("DaemonSet masthead-collector",),)}
                    self.assertEqual(check(objects, *arguments.get(check, ())), [])

    def test_lint(self):
        for name, (values, _) in FLAVOURS.items():
            with self.subTest(flavour=name):
                self.assertEqual(helm.lint(CHART, values), [])

    def test_only_the_collector_is_root(self):
        found = checks.hardening(rendered())
        self.assertEqual(
            {problem.split(":")[0].split(" has ")[0].split(" mounts ")[0] for problem in found},
            {"DaemonSet masthead-collector"},
        )


class Services(unittest.TestCase):
    def test_the_addresses_of_the_originals_lead_to_the_server(self):
        objects = rendered()
        _, of_pod, spec = next(pods([one(objects, "StatefulSet", "masthead")]))
        ports = {port["name"]: port["containerPort"] for port in containers(spec)[0]["ports"]}
        for name, port in (("prometheus", 9090), ("grafana", 3000), ("loki", 3100)):
            service = one(objects, "Service", name)
            (only,) = service["spec"]["ports"]
            self.assertEqual((only["port"], ports[only["targetPort"]]), (port, port))
            self.assertTrue(selects(service["spec"]["selector"], of_pod))

    def test_they_can_be_named_otherwise_or_left_out(self):
        objects = rendered({"server": {"services": {"prometheus": "metrics", "loki": ""}}})
        names = {item["metadata"]["name"] for item in of_kind(objects, "Service")}
        self.assertEqual(names, {"masthead", "metrics", "grafana"})

    def test_the_pod_listens_where_the_ports_are(self):
        objects = rendered()
        listen = config_of(objects, "masthead")["listen"]
        self.assertEqual(listen, {"address": "0.0.0.0:3000", "prometheus": "0.0.0.0:9090", "loki": "0.0.0.0:3100"})

    def test_its_own_metrics_are_one_target(self):
        (target,) = servicemonitor.targets(rendered(), "masthead")
        self.assertEqual((target["job"], target["endpoint"], target["app"]), ("masthead", "http", "masthead"))
        self.assertIs(config_of(rendered(), "masthead")["observe"]["self"], False)
        alone = rendered({"serviceMonitor": {"enabled": False}})
        self.assertIs(config_of(alone, "masthead")["observe"]["self"], True)


class Discovery(unittest.TestCase):
    def test_monitors_and_dashboards_are_followed_as_far_as_they_may_be_read(self):
        want = {"enabled": True, "dashboard_selector": "grafana_dashboard"}
        self.assertEqual(config_of(rendered(), "masthead")["kubernetes"], want)
        values = {"server": {"discovery": {"monitors": False, "dashboards": False}}}
        self.assertNotIn("kubernetes", config_of(rendered(values), "masthead"))

    def test_a_service_without_a_monitor_gets_the_labels_that_one_would_give(self):
        values = {"server": {"discovery": {"portNames": ["metrics"]}}}
        job, _ = config_of(rendered(values), "masthead")["metrics"]["scrape_configs"]
        api = helm.objects(INFRA / "charts" / "api", {}, "api", "devops-demo")
        self.assertEqual(servicemonitor.found_by(job, api), servicemonitor.targets(api, "api"))

    def test_kube_state_metrics_keeps_the_labels_of_what_it_describes(self):
        (job,) = config_of(rendered(), "masthead")["metrics"]["scrape_configs"]
        self.assertEqual((job["job_name"], job["honor_labels"]), ("kube-state-metrics", True))
        api = helm.objects(INFRA / "charts" / "api", {}, "api", "monitoring")
        self.assertEqual(servicemonitor.found_by(job, api), [])
        for item in api:
            if item["kind"] == "Service":
                item["metadata"]["labels"]["app.kubernetes.io/name"] = "kube-state-metrics"
        (target,) = servicemonitor.found_by(job, api)
        self.assertEqual((target["job"], target["pod"]), ("kube-state-metrics", "api-0"))

    def test_other_ports_are_left_alone_and_names_can_be_added(self):
        for names, want in (([], None), (["metrics", "http"], ["http", "metrics"]), (["other"], [])):
            values = {"server": {"discovery": {"portNames": names, "kubeStateMetrics": False}}}
            metrics = config_of(rendered(values), "masthead")["metrics"]
            if want is None:
                self.assertNotIn("scrape_configs", metrics)
                continue
            api = helm.objects(INFRA / "charts" / "api", {}, "api", "devops-demo")
            found = servicemonitor.found_by(metrics["scrape_configs"][0], api)
            self.assertEqual(sorted(target["endpoint"] for target in found), want)


class Secrets(unittest.TestCase):
    def test_a_given_password_is_in_its_secret_and_nowhere_else(self):
        objects = rendered({"admin": {"user": "keeper", "password": "harbour-lights"}})
        data = one(objects, "Secret", "grafana")["data"]
        self.assertEqual(base64.b64decode(data["admin-password"]), b"harbour-lights")
        self.assertEqual(base64.b64decode(data["admin-user"]), b"keeper")
        showing = [item["kind"] for item in objects if "harbour-lights" in json.dumps(item)]
        self.assertEqual(showing, [])

    def test_without_one_it_is_random(self):
        first, second = (one(rendered(anew=True), "Secret", "grafana")["data"]["admin-password"] for _ in range(2))
        self.assertNotEqual(first, second)
        self.assertGreaterEqual(len(base64.b64decode(first)), 32)

    def test_a_secret_that_is_there_is_used(self):
        objects = rendered({"admin": {"existingSecret": "mine"}})
        self.assertNotIn("grafana", {item["metadata"]["name"] for item in of_kind(objects, "Secret")})
        _, _, spec = next(pods([one(objects, "StatefulSet", "masthead")]))
        self.assertEqual(env(containers(spec)[0])["MASTHEAD_AUTH_ADMIN_USER"]["secretKeyRef"]["name"], "mine")
        self.assertIn("mine", [v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v])

    def test_tokens_are_as_the_server_wants_them_and_it_has_their_hashes_alone(self):
        objects = rendered()
        data = one(objects, "Secret", "masthead-tokens")["stringData"]
        tokens = yaml.safe_load(data["auth.yaml"])["tokens"]
        scopes = {}
        for key in ("push-token", "read-token"):
            self.assertRegex(data[key], r"^mht_[A-Za-z0-9_-]{43}$")
            self.assertNotIn(data[key], data["auth.yaml"])
            digest = "sha256:" + hashlib.sha256(data[key].encode()).hexdigest()
            (scopes[key],) = (token["scopes"] for token in tokens if token["hash"] == digest)
        self.assertEqual(scopes, {"push-token": ["write"], "read-token": ["read"]})
        _, _, spec = next(pods([one(objects, "StatefulSet", "masthead")]))
        (volume,) = (v["secret"] for v in spec["volumes"] if v["name"] == "auth")
        self.assertEqual([entry["key"] for entry in volume["items"]], ["auth.yaml"])

    def test_the_collector_has_the_token_to_push_and_no_other(self):
        _, _, spec = next(pods([one(rendered(), "DaemonSet", "masthead-collector")]))
        secrets = [v["secret"] for v in spec["volumes"] if "secret" in v]
        self.assertEqual(
            [(s["secretName"], [i["key"] for i in s["items"]]) for s in secrets], [("masthead-tokens", ["push-token"])]
        )


class Rights(unittest.TestCase):
    def test_nothing_is_written_and_secrets_are_read_by_name(self):
        objects = rendered({"server": {"discovery": {"secrets": [{"namespace": "shop", "names": ["password"]}]}}})
        for role in of_kind(objects, "ClusterRole", "Role"):
            for rule in role["rules"]:
                self.assertLessEqual(set(rule["verbs"]), {"get", "list", "watch"})
                self.assertNotIn("*", rule.get("resources", []) + rule.get("apiGroups", []))
                self.assertNotIn("nodes/proxy", rule.get("resources", []))
                if "secrets" in rule.get("resources", []):
                    self.assertEqual(role["kind"], "Role")
                    self.assertTrue(rule["resourceNames"])
        named = {role["metadata"]["namespace"]: role["rules"][0]["resourceNames"] for role in of_kind(objects, "Role")}
        self.assertEqual(named, {"monitoring": ["masthead-tokens"], "shop": ["password"]})

    def test_discovery_may_read_what_it_reads(self):
        (role,) = (r for r in of_kind(rendered(), "ClusterRole") if r["metadata"]["name"] == "monitoring-masthead")
        watched = {
            resource
            for rule in role["rules"]
            if set(rule["verbs"]) == {"get", "list", "watch"}
            for resource in rule["resources"]
        }
        self.assertEqual(
            watched,
            {"nodes", "namespaces", "pods", "services", "endpoints", "endpointslices", "ingresses", "configmaps"}
            | {"servicemonitors", "podmonitors", "probes", "scrapeconfigs", "prometheusrules"},
        )

    def test_the_collector_may_read_metrics_of_kubelets_and_pods_alone(self):
        kubelets = {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}
        pods_of_all = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
        no_labels = {"collector": {"podLabels": False}}
        nothing = {**COLLECTOR_ALONE, "collector": {**COLLECTOR_ALONE["collector"], "podLabels": False}}
        for values, rules in (
            ({}, [kubelets, pods_of_all]),
            (COLLECTOR_ALONE, [pods_of_all]),
            (no_labels, [kubelets]),
            (nothing, []),
        ):
            objects = rendered(values)
            roles = [r for r in of_kind(objects, "ClusterRole") if r["metadata"]["name"].endswith("-collector")]
            self.assertEqual([rule for role in roles for rule in role["rules"]], rules)
            _, _, spec = next(pods([one(objects, "DaemonSet", "masthead-collector")]))
            self.assertIs(spec["automountServiceAccountToken"], bool(rules))
            config = config_of(objects, "masthead-collector")
            self.assertEqual(config.get("kubernetes"), {"enabled": True} if pods_of_all in rules else None)


class Collector(unittest.TestCase):
    def setUp(self):
        self.objects = rendered()
        self.daemon = one(self.objects, "DaemonSet", "masthead-collector")
        self.spec = self.daemon["spec"]["template"]["spec"]

    def test_it_runs_on_every_node(self):
        self.assertIn({"operator": "Exists", "effect": "NoSchedule"}, self.spec["tolerations"])

    def test_it_sees_two_folders_of_the_node_and_can_write_one(self):
        (container,) = containers(self.spec)
        folders = {v["name"]: v["hostPath"]["path"] for v in self.spec["volumes"] if "hostPath" in v}
        mounts = {m["name"]: m for m in container["volumeMounts"]}
        self.assertEqual(folders, {"pods": "/var/log/pods", "state": "/var/lib/masthead-collector"})
        self.assertIs(mounts["pods"]["readOnly"], True)
        self.assertEqual(
            mounts["pods"]["mountPath"], config_of(self.objects, "masthead-collector")["observe"]["pods_log_dir"]
        )
        self.assertEqual(mounts["state"]["mountPath"], config_of(self.objects, "masthead-collector")["data"])

    def test_it_is_reached_from_its_node_alone(self):
        self.assertIs(self.spec["hostNetwork"], True)
        listen = config_of(self.objects, "masthead-collector")["listen"]
        self.assertEqual(listen, {"address": "127.0.0.1:9465", "prometheus": "off", "loki": "off"})
        self.assertFalse([c for c in containers(self.spec) if c.get("ports")])
        self.assertEqual(containers(self.spec)[0]["livenessProbe"]["httpGet"]["host"], "127.0.0.1")

    def test_it_keeps_nothing_but_journals(self):
        (container,) = containers(self.spec)
        self.assertEqual(container["args"][0], "collect")
        config = config_of(self.objects, "masthead-collector")
        self.assertEqual(config["forward"], {"journal_size": "256MB"})
        # Its own log would come twice.
        self.assertIs(config["observe"]["self_logs"], False)
        self.assertIs(config_of(self.objects, "masthead")["observe"]["self_logs"], False)
        self.assertNotIn("storage", config["metrics"] | config["logs"])

    def test_the_label_node_name_is_the_node(self):
        having = env(containers(self.spec)[0])
        for name in ("HOSTNAME", "NODE_NAME"):
            self.assertEqual(having[name], {"fieldRef": {"fieldPath": "spec.nodeName"}})

    def test_kubelet_and_cadvisor_are_scraped_as_dashboards_expect(self):
        metrics = config_of(self.objects, "masthead-collector")["metrics"]
        self.assertEqual([job["metrics_path"] for job in metrics["scrape_configs"]], ["/metrics", "/metrics/cadvisor"])
        for job in metrics["scrape_configs"]:
            rules = {rule["target_label"]: rule["replacement"] for rule in job["relabel_configs"]}
            self.assertEqual(rules, {"job": "kubelet", "metrics_path": job["metrics_path"]})
            self.assertEqual(job["static_configs"], [{"targets": ["127.0.0.1:10250"]}])
        self.assertEqual(metrics["global"]["external_labels"]["node"], "${NODE_NAME}")

    def test_it_pushes_to_the_server_with_its_token(self):
        config = config_of(self.objects, "masthead-collector")
        (write,), (push,) = config["metrics"]["remote_write"], config["logs"]["clients"]
        self.assertEqual(write["url"], "http://masthead.monitoring.svc:3000/api/v1/write")
        self.assertEqual(push["url"], "http://masthead.monitoring.svc:3000/loki/api/v1/push")
        (container,) = containers(self.spec)
        (where,) = (m["mountPath"] for m in container["volumeMounts"] if m["name"] == "token")
        self.assertEqual(write["authorization"]["credentials_file"], f"{where}/push-token")
        self.assertEqual(push["bearer_token_file"], f"{where}/push-token")
        port = {p["port"] for p in one(self.objects, "Service", "masthead")["spec"]["ports"]}
        self.assertEqual(port, {3000})

    def test_alone_it_needs_to_be_told_where_to(self):
        for values, complaint in (
            ({"server": {"enabled": False}}, "needs collector.lokiUrl"),
            ({"server": {"enabled": False}, "collector": {"lokiUrl": "http://l"}}, "needs collector.remoteWriteUrl"),
            ({"server": {"enabled": False}, "collector": {"enabled": False}}, "nothing to install"),
        ):
            with self.assertRaisesRegex(helm.RenderError, complaint):
                rendered(values)
        config = config_of(rendered(COLLECTOR_ALONE), "masthead-collector")
        self.assertNotIn("metrics", config)
        self.assertEqual(config["logs"]["clients"], [{"url": "http://loki:3100/loki/api/v1/push"}])


class Server(unittest.TestCase):
    def test_one_server_whose_volume_outlives_it(self):
        spec = one(rendered(), "StatefulSet", "masthead")["spec"]
        self.assertEqual(spec["replicas"], 1)
        self.assertEqual(set(spec["persistentVolumeClaimRetentionPolicy"].values()), {"Retain"})
        (claim,) = spec["volumeClaimTemplates"]
        mounts = {m["name"]: m["mountPath"] for m in containers(spec["template"]["spec"])[0]["volumeMounts"]}
        self.assertEqual(mounts[claim["metadata"]["name"]], config_of(rendered(), "masthead")["data"])

    def test_retention_by_time_and_by_size(self):
        values = {"server": {"retention": {"metrics": "30d", "metricsSize": "8GB", "logs": "3d", "logsSize": "1GB"}}}
        config = config_of(rendered(values), "masthead")
        self.assertEqual(config["metrics"]["storage"], {"retention_time": "30d", "retention_size": "8GB"})
        self.assertEqual(config["logs"]["storage"], {"retention_time": "3d", "retention_size": "1GB"})

    def test_the_defaults_fit_the_volume(self):
        values = yaml.safe_load((CHART / "values.yaml").read_text())["server"]
        kept = sum(int(values["retention"][f"{part}Size"].removesuffix("GB")) for part in ("metrics", "logs"))
        self.assertLess(kept, int(values["persistence"]["size"].removesuffix("Gi")))

    def test_its_configuration_can_be_added_to_and_a_change_starts_it_anew(self):
        objects = rendered({"server": {"config": {"query": {"timeout": "1m"}, "log": {"level": "debug"}}}})
        config = config_of(objects, "masthead")
        self.assertEqual((config["query"], config["data"]), ({"timeout": "1m"}, "/var/lib/masthead"))
        sums = [
            one(o, "StatefulSet", "masthead")["spec"]["template"]["metadata"]["annotations"]
            for o in (objects, rendered())
        ]
        self.assertNotEqual(*(entry["checksum/config"] for entry in sums))

    def test_who_gets_in(self):
        (policy,) = of_kind(rendered({"networkPolicy": {"nodeCIDRs": ["192.0.2.0/24"]}}), "NetworkPolicy")
        (rule,) = policy["spec"]["ingress"]
        self.assertEqual(rule["from"], [{"podSelector": {}}, {"ipBlock": {"cidr": "192.0.2.0/24"}}])
        (policy,) = of_kind(rendered(), "NetworkPolicy")
        blocks = [peer["ipBlock"]["cidr"] for peer in policy["spec"]["ingress"][0]["from"] if "ipBlock" in peer]
        for node in ("10.1.2.3", "172.18.0.2", "192.168.49.2", "fd00:10::2"):
            node = ipaddress.ip_address(node)
            inside = [block for block in map(ipaddress.ip_network, blocks) if node in block]
            self.assertTrue(inside, node)

    def test_the_version_is_that_of_the_workspace(self):
        version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        for _, _, spec in pods(of_kind(rendered(), "StatefulSet", "DaemonSet")):
            self.assertEqual(containers(spec)[0]["image"], f"masthead:{version}")

    def test_two_releases_do_not_mix(self):
        off = {"services": {"prometheus": "", "grafana": "", "loki": ""}}
        blue = rendered({"server": off, "admin": {"secretName": "blue"}}, "blue")
        both = blue + rendered({"server": off}, "green")
        self.assertEqual(checks.identity(both), [])
        self.assertEqual(checks.selectors(both), [])
        self.assertEqual(labels(one(blue, "Service", "blue-masthead"))["app"], "blue-masthead")


class Values(unittest.TestCase):
    def test_wrong_values_are_refused_with_their_name(self):
        for values, complaint in (
            ({"replicas": 2}, "'replicas' not allowed"),
            ({"server": {"retention": {"metrics": "soon"}}}, "server/retention/metrics"),
            ({"server": {"discovery": {"secrets": [{"names": ["a"]}]}}}, "namespace"),
            ({"collector": {"lokiUrl": "loki:3100"}}, "collector/lokiUrl"),
            ({"admin": {"user": "a:b"}}, "admin/user"),
            ({"networkPolicy": {"nodeCIDRs": ["everyone"]}}, "networkPolicy/nodeCIDRs"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(helm.RenderError, complaint):
                rendered(values)

    def test_the_schema_knows_every_value_and_no_other(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        self.assertEqual(set(schema["properties"]) - {"global"}, set(values))
        for part in ("server", "collector", "networkPolicy", "admin"):
            self.assertEqual(set(schema["properties"][part]["properties"]), set(values[part]), part)


if __name__ == "__main__":
    unittest.main()
