import signal

import pytest

from rnnlm.signals import Stopped, StopSignals, handled


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_noted_until_it_is_asked_for(name: str) -> None:
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip("Windows has no SIGHUP")
    before = signal.getsignal(number)
    stops = StopSignals()
    with stops.noted():
        stops.check()
        signal.raise_signal(number)
        assert stops.received == number
        with pytest.raises(Stopped):
            stops.check()
    assert signal.getsignal(number) is before


def test_signals_close_together_are_one_stop() -> None:
    stops = StopSignals()
    with stops.noted():
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        assert stops.received == signal.SIGTERM


def test_a_later_signal_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnlm.signals.ONE_STOP_SECONDS", 0)
    stops = StopSignals()
    with stops.noted():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stops = StopSignals()
        with stops.noted():
            signal.raise_signal(signal.SIGHUP)
            assert stops.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_handles_signals_for_a_while_gives_way_to_what_did_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    received: list[int] = []
    with handled((signal.SIGINT, signal.SIGTERM), lambda number, frame: received.append(number)) as restore:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        restore()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert received == [signal.SIGTERM, signal.SIGINT]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
