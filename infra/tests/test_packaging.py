"""Images and packages: what charts and documents assume of them."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from chartlib import INFRA, ROOT, helm
from chartlib.objects import containers, env, of_kind, pods

IMAGES = {"masthead": ROOT / "Dockerfile", "items-api": ROOT / "api" / "Dockerfile"}


def instructions(path):
    text = re.sub(r"\\\n", " ", "\n".join(l for l in path.read_text().splitlines() if not l.startswith("#")))
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


class Images(unittest.TestCase):
    def test_the_last_stage_has_one_binary_no_shell_and_no_root(self):
        for name, path in IMAGES.items():
            steps = instructions(path)
            last = max(at for at, (what, _) in enumerate(steps) if what == "FROM")
            final = dict(steps[last:])
            self.assertEqual(final["FROM"], "gcr.io/distroless/static-debian12:nonroot")
            self.assertEqual(final["USER"], "65532:65532")
            self.assertEqual(final["ENTRYPOINT"], f'["/{name}"]')
            self.assertNotIn("RUN", [what for what, _ in steps[last:]])

    def test_stages_are_there_before_they_are_copied_from(self):
        for path in IMAGES.values():
            stages = set()
            for what, rest in instructions(path):
                if what == "FROM" and " AS " in rest:
                    stages.add(rest.split(" AS ")[1])
                for stage in re.findall(r"--from=(\w+)", rest if what == "COPY" else ""):
                    self.assertIn(stage, stages)

    def test_every_base_is_pinned_and_new_enough(self):
        wanted = re.search(r'rust-version = "(.+)"', (ROOT / "Cargo.toml").read_text())[1]
        for path in IMAGES.values():
            for what, rest in instructions(path):
                if what == "FROM":
                    self.assertRegex(rest.split(" AS ")[0], r":(?!latest)[\w.-]+$")
                if what == "FROM" and "rust:" in rest:
                    version = re.search(r"rust:([\d.]+)", rest)[1]
                    self.assertGreaterEqual(*([int(part) for part in v.split(".")[:2]] for v in (version, wanted)))

    def test_the_binary_of_a_static_image_is_static(self):
        for name, path in IMAGES.items():
            steps = instructions(path)
            (build,) = [rest for what, rest in steps if what == "RUN" and "cargo build" in rest]
            self.assertIn('RUSTFLAGS="-C target-feature=+crt-static ', build)
            # Without it the flag is for procedural macros too, which are no programs.
            self.assertIn('--target "$host"', build)
            self.assertIn(f'"target/$host/release/{name}"', build)

    def test_ports_and_user_are_those_of_the_charts(self):
        for chart, kind, image in (("api", "Deployment", "items-api"), ("masthead", "StatefulSet", "masthead")):
            objects = of_kind(helm.objects(INFRA / "charts" / chart, {}, chart), kind)
            ((_, _, spec),) = pods(objects)
            exposed = {int(port) for port in dict(instructions(IMAGES[image]))["EXPOSE"].split()}
            self.assertEqual(exposed, {port["containerPort"] for port in containers(spec)[0]["ports"]})
            self.assertEqual(spec["securityContext"]["runAsUser"], 65532)

    def test_the_image_of_the_api_listens_as_the_chart_does(self):
        ((_, _, spec),) = pods(of_kind(helm.objects(INFRA / "charts" / "api", {}, "api"), "Deployment"))
        given = dict(re.findall(r"(\w+)=(\S+)", dict(instructions(IMAGES["items-api"]))["ENV"]))
        having = env(containers(spec)[0])
        self.assertEqual(given, {name: having[name] for name in given})

    def test_no_variable_of_masthead_hides_a_mounted_file(self):
        self.assertNotIn("ENV", dict(instructions(IMAGES["masthead"])))

    def test_what_is_built_outside_or_secret_stays_out(self):
        ignored = (ROOT / ".dockerignore").read_text().split()
        for name in (".git", "**/target", "**/node_modules", "web/dist", "**/.env", "**/*.key"):
            self.assertIn(name, ignored)


class Packages(unittest.TestCase):
    def test_files_are_there_or_built(self):
        package = yaml.safe_load((ROOT / "packaging" / "nfpm.yaml").read_text())
        for entry in package["contents"]:
            self.assertTrue(entry["src"].startswith("target/release/") or (ROOT / entry["src"]).exists(), entry["src"])
        version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        self.assertEqual(str(package["version"]), version)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not here")
    def test_systemd_reads_the_unit(self):
        text = (ROOT / "packaging" / "masthead.service").read_text()
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "masthead.service"
            # The program is not installed here, and that is no fault of the unit.
            unit.write_text(text.replace("/usr/bin/masthead", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if "masthead.service" in line]
        self.assertEqual(complaints, [])

    def test_the_service_can_write_its_own_folder_alone(self):
        unit = (ROOT / "packaging" / "masthead.service").read_text()
        for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="):
            self.assertIn(f"\n{line}\n", unit)
        self.assertIn("--data /var/lib/masthead", unit)
        self.assertIn("\nStateDirectory=masthead\n", unit)


if __name__ == "__main__":
    unittest.main()
