"""The GPIO benchmark runs and its figures are sane; `make bench` prints them against their bars."""

from hil.bench_gpio import measure


def test_every_figure_is_there_and_sane() -> None:
    figures = measure(20)
    for name in ("driver", "bare", "piped"):
        assert figures[f"{name}_median_us"] <= figures[f"{name}_p99_us"] < 1_000_000
    assert figures["bare_median_us"] > 0
    # The clock counts whole milliseconds: the debounce may seem up to one shorter than it is.
    assert -1_000 < figures["driver_median_us"] < 50_000
    assert 0 < figures["idle_cpu"] < 0.2
    assert 0 < figures["idle_mixed_cpu"] < 0.3
