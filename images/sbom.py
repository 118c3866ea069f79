"""The list of parts of an image (CycloneDX 1.6): each Debian package and Python distribution, its version and hash."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = uuid.UUID("5f0f39f0-0900-4d61-8a6c-66656e676875")


def document(
    parts: Mapping[str, Sequence[Mapping[str, str]]], version: str, created: str, suite: str
) -> dict[str, Any]:
    """The document. Same parts, same bytes: its serial number follows from version and time of making."""
    components = [_debian(part, suite) for part in parts["debian"]] + [_python(part) for part in parts["python"]]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{version} {created}')}",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "component": {
                "type": "firmware",
                "bom-ref": f"fenghuo@{version}",
                "name": "fenghuo",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": sorted(components, key=lambda c: c["bom-ref"]),
        "dependencies": [
            {"ref": f"fenghuo@{version}", "dependsOn": sorted({component["bom-ref"] for component in components})}
        ],
    }


def _debian(part: Mapping[str, str], suite: str) -> dict[str, Any]:
    version = part["version"].replace("+", "%2B").replace(":", "%3A").replace("~", "%7E")
    purl = f"pkg:deb/debian/{part['name']}@{version}?arch={part['architecture']}&distro={suite}"
    return _component(part, purl, "library")


def _python(part: Mapping[str, str]) -> dict[str, Any]:
    return _component(part, f"pkg:pypi/{part['name']}@{part['version']}", "library")


def _component(part: Mapping[str, str], purl: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": kind,
        "bom-ref": purl,
        "name": part["name"],
        "version": part["version"],
        "purl": purl,
    }
    if part["sha256"]:
        found["hashes"] = [{"alg": "SHA-256", "content": part["sha256"]}]
    return found
