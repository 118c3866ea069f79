"""The judge of soak and kills: good for what is whole, and each kind of harm is found and named rightly."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hil.verdict import Verdict
from tests.hil import receipted_site
from tests.hil.receipted_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return receipted_site.make(tmp_path)


def test_a_whole_site_is_good(site: Site) -> None:
    verdict = site.judge()
    assert verdict.good, verdict
    assert (verdict.records, verdict.journals) == (14, 1)


ALTER = "UPDATE records SET hash = 'other' WHERE lane = 'alarm' AND lane_seq = 2"
TAKE = "DELETE FROM records WHERE lane = 'alarm' AND lane_seq = 2"
REWRITE = "UPDATE record SET payload = CAST('{}' AS BLOB) WHERE lane = 'alarm' AND lane_seq = 2"


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda s: s.at(1, TAKE), {"lost", "receipted_lost", "out_of_order"}),
        (lambda s: s.at(1, ALTER), {"altered"}),
        (lambda s: s.at(2, "UPDATE records SET header = replace(header, 'unset', 'other')"), {"altered"}),
        (lambda s: s.at(1, "INSERT INTO counts VALUES('', 'rival', 2)"), {"altered"}),
        (lambda s: s.at(0, "DELETE FROM record WHERE seq = 14"), {"receipted_lost", "unsound"}),
        (lambda s: s.at(0, REWRITE), {"unsound"}),
        (lambda s: s.at(0, "DELETE FROM delivered WHERE lane = 'alarm'"), {"unsound", "unreceipted"}),
    ],
)
def test_each_harm_is_found(site: Site, harm: Callable[[Site], None], found: set[str]) -> None:
    harm(site)
    verdict = site.judge()
    assert not verdict.good
    kinds = ("lost", "receipted_lost", "doubled", "altered", "out_of_order", "unreceipted", "unsound")
    assert {kind for kind in kinds if getattr(verdict, kind)} == found, verdict
    assert verdict.texts


def test_an_identity_that_is_held_twice_is_found(site: Site) -> None:
    """A store whose keys do not forbid it, as another center's might be."""
    file = site.centers[0] / "center.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("CREATE TABLE free AS SELECT * FROM records")
        db.execute("DROP TABLE records")
        db.execute("ALTER TABLE free RENAME TO records")
        db.execute("INSERT INTO records SELECT * FROM records WHERE lane = 'alarm' AND lane_seq = 2")
    assert site.judge().doubled == 2, "once as an identity, once as a place in its lane"


def test_a_panel_without_records_is_not_good(tmp_path: Path) -> None:
    assert not Verdict().good
