"""The Helmfile: which releases, in which order, with which values, in each environment."""

import json
import re
import unittest

import yaml

from chartlib import INFRA, checks, helm, helmfile, servicemonitor
from chartlib.objects import labels, of_kind, one

UPSTREAM = {"kube-prometheus-stack", "loki", "grafana-dashboards", "api"}
MASTHEAD = {"prometheus-operator-crds", "masthead", "kube-state-metrics", "api"}
# Charts that bring the definitions of ServiceMonitors.
CRDS = {"default": "kube-prometheus-stack", "upstream": "kube-prometheus-stack", "masthead": "prometheus-operator-crds"}
COLLECTORS = ("promtail", "alloy", "masthead")
ROOT_WORKLOADS = ("DaemonSet masthead-collector",)


def every_variant():
    for environment in CRDS:
        for collector in COLLECTORS if environment != "masthead" else ("masthead",):
            yield environment, {"collector": collector}


class Releases(unittest.TestCase):
    def test_of_each_environment(self):
        self.assertEqual(set(helmfile.environments()), {"default", "upstream", "masthead"})
        for environment in ("default", "upstream"):
            self.assertEqual(set(helmfile.releases(environment)), UPSTREAM | {"promtail"})
        self.assertEqual(set(helmfile.releases("masthead")), MASTHEAD)

    def test_one_value_chooses_the_collector(self):
        for collector, release in (("promtail", "promtail"), ("alloy", "alloy"), ("masthead", "masthead-collector")):
            found = set(helmfile.releases("upstream", overrides={"collector": collector}))
            self.assertEqual(found - UPSTREAM, {release})

    def test_a_wrong_choice_is_refused_with_the_right_ones(self):
        with self.assertRaisesRegex(helm.RenderError, "must be one of promtail, alloy, masthead"):
            helmfile.releases("upstream", overrides={"collector": "fluentd"})
        # Only Masthead's own has the token that its server wants.
        with self.assertRaisesRegex(helm.RenderError, "collector must be masthead"):
            helmfile.releases("masthead", overrides={"collector": "alloy"})

    def test_namespaces(self):
        for environment, overrides in every_variant():
            for release in helmfile.releases(environment, overrides=overrides).values():
                want = "devops-demo" if release.name == "api" else "monitoring"
                self.assertEqual(release.namespace, want)

    def test_versions_are_pinned_and_repositories_named(self):
        for environment, overrides in every_variant():
            repositories = {entry["name"] for entry in helmfile.document(environment)["repositories"]}
            for release in helmfile.releases(environment, overrides=overrides).values():
                if release.is_ours:
                    self.assertTrue((release.path / "Chart.yaml").exists(), release.chart)
                else:
                    self.assertRegex(release.version, r"^\d+\.\d+\.\d+$", release.name)
                    self.assertIn(release.chart.split("/")[0], repositories)

    def test_everything_waits_for_the_definitions_of_servicemonitors(self):
        for environment, overrides in every_variant():
            found = helmfile.releases(environment, overrides=overrides)
            there = {release.id for release in found.values()}
            for release in found.values():
                self.assertLessEqual(set(release.needs), there, release.name)
                if release.name != CRDS[environment]:
                    self.assertIn(f"monitoring/{CRDS[environment]}", release.needs, release.name)
                if release.name in ("loki", "masthead", "promtail", "alloy", "api", "kube-state-metrics"):
                    self.assertTrue(release.raw["disableValidationOnInstall"], release.name)

    def test_definitions_that_upstream_left_behind_are_taken_over(self):
        # kube-prometheus-stack has them in crds/, which Helm neither owns nor removes.
        self.assertIs(helmfile.releases("masthead")["prometheus-operator-crds"].raw["takeOwnership"], True)

    def test_collectors_wait_for_the_store(self):
        for collector in COLLECTORS:
            found = helmfile.releases("upstream", overrides={"collector": collector})
            (release,) = (found[name] for name in set(found) - UPSTREAM)
            self.assertIn("monitoring/loki", release.needs)

    def test_helm_waits(self):
        defaults = helmfile.document("upstream")["helmDefaults"]
        for key in ("wait", "waitForJobs", "createNamespace", "cleanupOnFail"):
            self.assertIs(defaults[key], True)

    def test_one_file_of_values_for_each_release(self):
        used = set()
        for environment in CRDS:
            for release in helmfile.document(environment)["releases"]:
                files = [entry for entry in release.get("values") or [] if isinstance(entry, str)]
                self.assertEqual(files, [f"values/{release['name']}.yaml"])
                used |= set(files)
        self.assertEqual({f"values/{path.name}" for path in (INFRA / "values").iterdir()}, used)


class Password(unittest.TestCase):
    """Grafana's, or Masthead's in its place."""

    RELEASES = {"upstream": ("kube-prometheus-stack", "grafana"), "masthead": ("masthead", "admin")}

    def test_there_is_no_default(self):
        for environment, (release, section) in self.RELEASES.items():
            values = helmfile.releases(environment)[release].values[section]
            self.assertFalse(values.get("adminPassword") or values.get("password"), environment)
            self.assertNotIn("admin", values.get("admin", {}))
        for path in INFRA.rglob("*.yaml"):
            for line in path.read_text().splitlines():
                self.assertNotRegex(line, r"(?i)^\s*(admin)?password:\s*[\"']?[a-z0-9]", str(path))

    def test_the_variable_is_the_password(self):
        for environment, (release, section) in self.RELEASES.items():
            given = {"GRAFANA_ADMIN_PASSWORD": "harbour-lights"}
            found = helmfile.releases(environment, given)
            holding = {name for name, r in found.items() if "harbour-lights" in json.dumps(r.values)}
            self.assertEqual(holding, {release})
            values = found[release].values[section]
            self.assertIn("harbour-lights", (values.get("adminPassword"), values.get("password")))

    def test_the_value_is_the_password_where_there_is_no_variable(self):
        overrides = {"grafana": {"adminPassword": "harbour-lights"}}
        for environment, (release, section) in self.RELEASES.items():
            for variables, want in (({}, "harbour-lights"), ({"GRAFANA_ADMIN_PASSWORD": "beacon"}, "beacon")):
                values = helmfile.releases(environment, variables, overrides)[release].values[section]
                self.assertIn(want, (values.get("adminPassword"), values.get("password")))

    def test_a_secret_that_is_there_wins_over_the_variable(self):
        for environment, (release, section) in self.RELEASES.items():
            given = {"GRAFANA_ADMIN_PASSWORD": "harbour-lights"}
            overrides = {"grafana": {"existingSecret": "mine"}}
            found = helmfile.releases(environment, given, overrides)
            self.assertNotIn("harbour-lights", json.dumps([r.values for r in found.values()]))
            values = found[release].values[section]
            self.assertEqual(values.get("existingSecret") or values["admin"]["existingSecret"], "mine")

    def test_a_generated_one_is_random_and_long(self):
        secrets = [
            one(helmfile.releases("masthead")["masthead"].objects(anew=True), "Secret", "grafana")["data"][
                "admin-password"
            ]
            for _ in range(2)
        ]
        self.assertNotEqual(*secrets)
        self.assertGreaterEqual(len(secrets[0]), 40)


class OurCharts(unittest.TestCase):
    def test_with_the_values_of_the_helmfile_they_pass_every_check(self):
        for environment, overrides in every_variant():
            objects = []
            for release in helmfile.releases(environment, overrides=overrides).values():
                if release.is_ours:
                    objects += release.objects()
            for check in checks.EVERY:
                with self.subTest(environment=environment, **overrides, check=check.__name__):
                    if check is checks.hardening:
                        self.assertEqual(check(objects, ROOT_WORKLOADS), [])
                    else:
                        self.assertEqual(check(objects), [])

    def test_the_api_is_scraped_alike_in_both(self):
        found = [servicemonitor.targets(helmfile.releases(name)["api"].objects(), "api") for name in CRDS]
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])
        self.assertEqual(len(found[0]), 1)

    def test_kube_state_metrics_is_scraped_once(self):
        """By its own ServiceMonitor, or by a job of Masthead's: both would double every sum over kube_*."""
        for there in (True, False):
            found = helmfile.releases("masthead", overrides={"kubeStateMetrics": there})
            config = one(found["masthead"].objects(), "ConfigMap", "masthead")["data"]["masthead.yaml"]
            jobs = [job["job_name"] for job in yaml.safe_load(config)["metrics"].get("scrape_configs", [])]
            monitored = there and found["kube-state-metrics"].values["prometheus"]["monitor"]["enabled"]
            self.assertEqual(jobs.count("kube-state-metrics") + monitored, int(there))

    def test_the_interval_is_one_value(self):
        for environment in CRDS:
            release = helmfile.releases(environment, overrides={"scrapeInterval": "20s"})["api"]
            monitor = one(release.objects(), "ServiceMonitor", "api")
            self.assertEqual(monitor["spec"]["endpoints"][0]["interval"], "20s")

    def test_metrics_of_the_api_are_let_in_from_where_the_scraper_is(self):
        for environment in CRDS:
            found = helmfile.releases(environment)
            (rule,) = (
                rule
                for rule in one(found["api"].objects(), "NetworkPolicy", "api")["spec"]["ingress"]
                if rule["ports"][0]["port"] == "metrics"
            )
            (peer,) = rule["from"]
            name = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            self.assertEqual(name, found[CRDS[environment]].namespace)


class Dashboards(unittest.TestCase):
    def setUp(self):
        found = helmfile.releases("upstream")
        self.stack = found["kube-prometheus-stack"].values["grafana"]
        self.maps = of_kind(found["grafana-dashboards"].objects(), "ConfigMap")

    def test_they_are_the_files_unchanged(self):
        files = {path.name: path.read_text() for path in (INFRA / "grafana" / "dashboards").glob("*.json")}
        shown = {name: text for item in self.maps for name, text in item["data"].items()}
        self.assertEqual(set(files) - set(shown), {"masthead.json"})
        for name, text in shown.items():
            self.assertEqual(text, files[name].rstrip("\n"))

    def test_they_fit_into_a_configmap(self):
        for item in self.maps:
            self.assertLess(len(json.dumps(item).encode()), 1_000_000)

    def test_the_sidecar_finds_them_and_their_folder(self):
        sidecar = self.stack["sidecar"]["dashboards"]
        self.assertEqual(sidecar["searchNamespace"], "ALL")
        self.assertTrue(sidecar["enabled"] and sidecar["provider"]["foldersFromFilesStructure"])
        for item in self.maps:
            self.assertEqual(labels(item)[sidecar["label"]], sidecar["labelValue"])
            self.assertTrue(item["metadata"]["annotations"][sidecar["folderAnnotation"]])

    def test_their_data_sources_are_provisioned(self):
        # The chart's own data source for Prometheus has this uid.
        there = {"prometheus"} | {source["uid"] for source in self.stack["additionalDataSources"]}
        for item in self.maps:
            for text in item["data"].values():
                asked = set(re.findall(r'"datasource":\s*\{[^}]*"uid":\s*"([^"]+)"', text))
                self.assertTrue(asked)
                self.assertLessEqual(asked - {"-- Grafana --"}, there)

    def test_lint(self):
        self.assertEqual(helm.lint(INFRA / "grafana"), [])

    def test_a_name_that_is_none_is_refused(self):
        with self.assertRaisesRegex(helm.RenderError, "there is no dashboards/typo.json"):
            helm.objects(INFRA / "grafana", {"exclude": ["typo"]})


class Kind(unittest.TestCase):
    def test_images_of_the_commands_are_those_of_the_charts(self):
        text = (INFRA / "kind.yaml").read_text()
        for name in ("api", "masthead"):
            objects = helmfile.releases("masthead")[name].objects()
            kind, workload = ("Deployment", "api") if name == "api" else ("StatefulSet", "masthead")
            image = one(objects, kind, workload)["spec"]["template"]["spec"]["containers"][0]["image"]
            self.assertIn(f"-t {image} ", text)
            self.assertRegex(text, rf"kind load docker-image .*\b{re.escape(image)}\b")


if __name__ == "__main__":
    unittest.main()
