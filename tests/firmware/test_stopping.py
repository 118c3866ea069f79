"""Real signals, to this process and to a child."""

import os
import select
import signal
import subprocess
import sys
import threading

from firmware.stopping import StopFlag


def test_a_signal_sets_the_flag_and_wakes_a_poll() -> None:
    before = signal.getsignal(signal.SIGTERM)
    flag = StopFlag().install([signal.SIGTERM])
    assert not flag.wait(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert flag.wait(5)
    assert flag.reason == "SIGTERM"
    assert select.select([flag], [], [], 0)[0] == [flag]
    flag.close()
    assert signal.getsignal(signal.SIGTERM) is before


def test_it_stays_set_for_every_waiter_and_keeps_the_first_reason() -> None:
    flag = StopFlag()
    waiters = [threading.Thread(target=flag.wait) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    flag.set("asked")
    flag.set("again")
    for waiter in waiters:
        waiter.join(5)
        assert not waiter.is_alive()
    assert flag.is_set()
    assert flag.reason == "asked"
    flag.close()


ELSEWHERE = """
import os, signal, sys, threading
from firmware.stopping import StopFlag

flag = StopFlag().install()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
ready = threading.Event()

def other():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    ready.set()
    threading.Event().wait()

threading.Thread(target=other, daemon=True).start()
ready.wait()
print("ready", flush=True)
set_ = flag.wait()
print(set_, flag.is_set(), flag.reason)
"""


def test_a_signal_that_the_kernel_hands_to_another_thread_wakes_the_main_one() -> None:
    with subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        child.terminate()
        try:
            assert child.communicate(timeout=30)[0] == "True True SIGTERM\n"
        finally:
            child.kill()


def test_waiting_ends_in_time() -> None:
    flag = StopFlag()
    assert flag.wait(0.01) is False
    flag.close()
