"""What follows from a site alone, worked out once: so no step looks at every zone or output."""

from collections.abc import Mapping
from dataclasses import dataclass

from rules.site import Output, Site


@dataclass(frozen=True)
class SiteIndex:
    """`outputs_of`: area → the outputs that serve it. `area_ids`: all areas in the panel file's order."""

    outputs_of: Mapping[str, tuple[Output, ...]]
    area_ids: tuple[str, ...]


def site_index(site: Site) -> SiteIndex:
    """The index of a site, kept in the site object itself."""
    found = site.__dict__.get("_index")
    if isinstance(found, SiteIndex):
        return found
    made = SiteIndex(
        {id_: tuple(o for o in site.outputs.values() if id_ in o.areas) for id_ in site.areas}, tuple(site.areas)
    )
    site.__dict__["_index"] = made
    return made
