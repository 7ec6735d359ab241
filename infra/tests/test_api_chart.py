"""The chart `api`: what its README promises, on the rendered objects."""

import json
import re
import unittest

import yaml

from chartlib import INFRA, ROOT, checks, helm, servicemonitor
from chartlib.objects import containers, env, labels, of_kind, one, pods

CHART = INFRA / "charts" / "api"
# Every optional part, so that each template is rendered somewhere.
EVERYTHING = {
    "database": {"existingSecret": {"name": "items-db", "key": "url"}},
    "ingress": {"enabled": True, "className": "nginx", "tls": [{"hosts": ["api.localhost"], "secretName": "tls"}]},
    "autoscaling": {"enabled": True},
    "podLabels": {"team": "harbour"},
    "imagePullSecrets": [{"name": "registry"}],
    "networkPolicy": {"httpFrom": [{"namespaceSelector": {}}]},
}
FLAVOURS = {
    "defaults": ({}, ()),
    "everything": (EVERYTHING, [("Secret", "items-db")]),
    "secret of its own": ({"database": {"url": "postgres://items:harbour@db/items"}, "replicaCount": 3}, ()),
    "sqlite that is kept": ({"database": {"persistence": {"enabled": True, "storageClass": "standard"}}}, ()),
    "nothing optional": (
        {
            "serviceMonitor": {"enabled": False},
            "networkPolicy": {"enabled": False},
            "podDisruptionBudget": {"enabled": False},
            "serviceAccount": {"create": False},
        },
        (),
    ),
}


def rendered(values=None, release="api", namespace="devops-demo"):
    return helm.objects(CHART, values, release, namespace)


class EveryFlavour(unittest.TestCase):
    def test_objects_are_valid_limited_hardened_and_find_each_other(self):
        for name, (values, outside) in FLAVOURS.items():
            objects = rendered(values)
            for check in checks.EVERY:
                with self.subTest(flavour=name, check=check.__name__):
                    found = check(objects, outside) if check is checks.references else check(objects)
                    self.assertEqual(found, [])

    def test_lint(self):
        for name, (values, _) in FLAVOURS.items():
            with self.subTest(flavour=name):
                self.assertEqual(helm.lint(CHART, values), [])

    def test_every_template_is_rendered_by_some_flavour(self):
        made = set()
        for values, _ in FLAVOURS.values():
            made |= {path for path, text in helm.files(CHART, values).items() if helm_parses_to_something(path, text)}
        # Helm renders NOTES.txt when it installs; `helm template` leaves it out.
        there = {str(path.relative_to(CHART)) for path in (CHART / "templates").rglob("*.yaml")}
        self.assertEqual(there - made, set())


def helm_parses_to_something(path, text):
    return path.endswith(".yaml") and bool(helm.parse(text))


class Service(unittest.TestCase):
    def setUp(self):
        self.objects = rendered()
        self.service = one(self.objects, "Service", "api")

    def test_it_has_the_ports_http_and_metrics(self):
        ports = {port["name"]: (port["port"], port["targetPort"]) for port in self.service["spec"]["ports"]}
        self.assertEqual(ports, {"http": (8000, "http"), "metrics": (9464, "metrics")})

    def test_it_opens_nothing_to_the_outside(self):
        self.assertEqual(self.service["spec"]["type"], "ClusterIP")
        with self.assertRaisesRegex(helm.RenderError, "additional properties 'type'"):
            rendered({"service": {"type": "LoadBalancer"}})

    def test_labels_of_pods_and_service(self):
        workload, of_pod, _ = next(pods([one(self.objects, "Deployment", "api")]))
        for having in (of_pod, labels(self.service)):
            self.assertEqual(having["app"], "api")
            for name in ("name", "instance", "version", "component", "part-of", "managed-by"):
                self.assertIn(f"app.kubernetes.io/{name}", having)

    def test_two_releases_in_one_namespace_do_not_mix(self):
        blue, green = rendered(release="blue"), rendered(release="green")
        self.assertEqual(checks.identity(blue + green), [])
        self.assertEqual(checks.selectors(blue + green), [])
        self.assertEqual(one(blue, "Service", "blue-api")["spec"]["selector"]["app"], "api")


class ServiceMonitor(unittest.TestCase):
    def setUp(self):
        self.objects = rendered()
        self.monitor = one(self.objects, "ServiceMonitor", "api")

    def test_its_selector_is_that_of_the_service_and_in_the_labels_of_the_service(self):
        service = one(self.objects, "Service", "api")
        selector = self.monitor["spec"]["selector"]
        self.assertEqual(selector, {"matchLabels": service["spec"]["selector"]})
        self.assertLessEqual(selector["matchLabels"].items(), labels(service).items())

    def test_endpoint(self):
        want = {"port": "metrics", "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}
        self.assertEqual(self.monitor["spec"]["endpoints"], [want])
        other = rendered({"serviceMonitor": {"interval": "1m", "labels": {"release": "stack"}}})
        other = one(other, "ServiceMonitor", "api")
        self.assertEqual(other["spec"]["endpoints"][0]["interval"], "1m")
        self.assertEqual(labels(other)["release"], "stack")

    def test_what_the_operator_makes_of_it(self):
        golden = yaml.safe_load((INFRA / "tests" / "golden" / "api-scrape-config.yaml").read_text())
        self.assertEqual(servicemonitor.scrape_configs(self.monitor), golden)

    def test_the_one_target_and_its_labels(self):
        want = {
            "job": "api",
            "namespace": "devops-demo",
            "service": "api",
            "pod": "api-0",
            "container": "api",
            "endpoint": "metrics",
            "app": "api",
            "__metrics_path__": "/metrics",
        }
        self.assertEqual(servicemonitor.targets(self.objects, "api"), [want])


class Reach(unittest.TestCase):
    def test_the_ingress_routes_to_http_alone(self):
        for hosts in (None, [{"host": "a.example", "paths": [{"path": "/metrics", "pathType": "Prefix"}]}]):
            values = {"ingress": {"enabled": True} | ({"hosts": hosts} if hosts else {})}
            ingress = one(rendered(values), "Ingress", "api")
            backends = [
                path["backend"]["service"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]
            ]
            self.assertEqual(backends, [{"name": "api", "port": {"name": "http"}}])
            self.assertNotIn("defaultBackend", ingress["spec"])

    def test_metrics_are_reached_from_the_monitoring_namespace_alone(self):
        for values, want in (({}, "monitoring"), ({"networkPolicy": {"monitoringNamespace": "watch"}}, "watch")):
            policy = one(rendered(values), "NetworkPolicy", "api")
            self.assertEqual(policy["spec"]["policyTypes"], ["Ingress"])
            rules = [rule for rule in policy["spec"]["ingress"] if metrics_port(rule)]
            peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": want}}}
            self.assertEqual([rule["from"] for rule in rules], [[peer]])


def metrics_port(rule):
    """Whether the rule lets the metrics through; one without ports lets everything."""
    return "ports" not in rule or any(port["port"] in ("metrics", 9464) for port in rule["ports"])


class Pod(unittest.TestCase):
    def setUp(self):
        self.deployment = one(rendered(), "Deployment", "api")
        self.spec = self.deployment["spec"]["template"]["spec"]
        (self.container,) = containers(self.spec)

    def test_every_variable_is_one_that_the_api_reads(self):
        source = (ROOT / "api" / "src" / "settings.rs").read_text()
        table = source[source.index("pub const VARIABLES") : source.index("const fn var(")]
        known = set(re.findall(r'var\(\s*"([A-Z_]+)"', table))
        self.assertIn("DATABASE_URL", known)
        self.assertLessEqual(set(env(self.container)), known)

    def test_listeners_are_the_ports(self):
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        having = env(self.container)
        self.assertEqual(having["LISTEN_ADDR"], f"0.0.0.0:{ports['http']}")
        self.assertEqual(having["METRICS_ADDR"], f"0.0.0.0:{ports['metrics']}")

    def test_probes(self):
        paths = {name: self.container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        want = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        self.assertEqual({name: get["path"] for name, get in paths.items()}, want)
        self.assertEqual({get["port"] for get in paths.values()}, {"http"})

    def test_the_kubelet_waits_longer_than_the_api(self):
        for values in ({}, {"shutdown": {"delaySeconds": 10, "graceSeconds": 60}}):
            spec = one(rendered(values), "Deployment", "api")["spec"]["template"]["spec"]
            having = env(containers(spec)[0])
            delay, grace = (int(having[f"SHUTDOWN_{name}"].removesuffix("s")) for name in ("DELAY", "GRACE"))
            self.assertLess(delay, grace)
            self.assertLess(grace, spec["terminationGracePeriodSeconds"])
        with self.assertRaisesRegex(helm.RenderError, "must be shorter"):
            rendered({"shutdown": {"delaySeconds": 25}})

    def test_the_version_is_that_of_the_workspace(self):
        version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        self.assertEqual(self.container["image"], f"items-api:{version}")
        image = one(rendered({"image": {"tag": "dev"}}), "Deployment", "api")["spec"]["template"]["spec"]["containers"]
        self.assertEqual(image[0]["image"], "items-api:dev")


class Database(unittest.TestCase):
    def test_sqlite_is_one_pod_that_is_stopped_before_the_next_starts(self):
        spec = one(rendered(), "Deployment", "api")["spec"]
        self.assertEqual((spec["replicas"], spec["strategy"]), (1, {"type": "Recreate"}))
        for values in ({"replicaCount": 2}, {"autoscaling": {"enabled": True}}):
            with self.assertRaisesRegex(helm.RenderError, "needs a database that all share"):
                rendered(values)

    def test_a_kept_sqlite_outlives_the_release(self):
        objects = rendered({"database": {"persistence": {"enabled": True}}})
        claim = one(objects, "PersistentVolumeClaim", "api-data")
        self.assertEqual(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        self.assertFalse(
            of_kind(rendered({"database": {"persistence": {"existingClaim": "mine"}}}), "PersistentVolumeClaim")
        )

    def test_the_address_is_in_a_secret_and_nowhere_else(self):
        address = "postgres://items:harbour@db/items"
        objects = rendered({"database": {"url": address}})
        showing = {item["kind"] for item in objects if "harbour" in json.dumps(item)}
        self.assertEqual(showing, {"Secret"})
        (container,) = containers(one(objects, "Deployment", "api")["spec"]["template"]["spec"])
        secret = env(container)["DATABASE_URL"]["secretKeyRef"]
        self.assertEqual(one(objects, "Secret", secret["name"])["stringData"][secret["key"]], address)

    def test_a_secret_that_is_there_wins(self):
        objects = rendered({"database": {"url": "postgres://a@b/c", "existingSecret": {"name": "mine", "key": "url"}}})
        self.assertFalse(of_kind(objects, "Secret"))
        (container,) = containers(one(objects, "Deployment", "api")["spec"]["template"]["spec"])
        self.assertEqual(env(container)["DATABASE_URL"], {"secretKeyRef": {"name": "mine", "key": "url"}})

    def test_many_pods_are_replaced_without_a_gap(self):
        spec = one(rendered({"database": {"url": "postgres://a@b/c"}, "replicaCount": 2}), "Deployment", "api")["spec"]
        self.assertEqual(spec["strategy"]["rollingUpdate"], {"maxSurge": 1, "maxUnavailable": 0})


class Values(unittest.TestCase):
    def test_wrong_values_are_refused_with_their_name(self):
        for values, complaint in (
            ({"replicas": 2}, "'replicas' not allowed"),
            ({"serviceMonitor": {"intervall": "15s"}}, "'intervall' not allowed"),
            ({"serviceMonitor": {"interval": "often"}}, "serviceMonitor/interval"),
            ({"service": {"port": "8000"}}, "service/port"),
            ({"service": {"port": 9464}}, "must differ"),
            ({"image": {"pullPolicy": "Sometimes"}}, "image/pullPolicy"),
            ({"database": {"url": "mysql://a@b/c"}}, "database/url"),
            ({"resources": {"limits": {"memory": "lots"}}}, "resources/limits/memory"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(helm.RenderError, complaint):
                rendered(values)

    def test_the_schema_knows_every_value_and_no_other(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        # `global` is Helm's own.
        self.assertEqual(set(schema["properties"]) - {"global"}, set(values))

    def test_the_test_asks_where_the_service_is(self):
        pod = one(rendered({"service": {"port": 80}}), "Pod", "api-test")
        self.assertEqual(env(pod["spec"]["containers"][0])["API"], "http://api.devops-demo.svc:80")
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")


if __name__ == "__main__":
    unittest.main()
