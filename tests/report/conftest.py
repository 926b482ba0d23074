"""A page in a real browser: headless Chromium driven over its debugging pipe, without a driver package."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neuraltrade import report
from neuraltrade.core.layouts import TRADE_DTYPE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 90.0


class Browser:
    """One Chromium. Commands go to file descriptor 3, answers and events come from 4, each JSON ended by a NUL byte."""

    def __init__(self, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (theirs_in, theirs_out)]

        def place_pipes() -> None:
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"],
            preexec_fn=place_pipes,  # noqa: PLW1509  (no thread runs yet, and it only moves two descriptors)
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},  # a sanitizer of ours
        )
        for fd in (theirs_in, theirs_out, *high):
            os.close(fd)
        self.reading, self.writing = ours_in, ours_out
        self.buffer = b""
        self.events: list[dict] = []
        self.number = 0

    def close(self) -> None:
        self.call("Browser.close")
        self.process.wait(PATIENCE_S)
        os.close(self.reading)
        os.close(self.writing)

    def call(self, method: str, session: str | None = None, **params) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def receive(self) -> dict:
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reading], [], [], PATIENCE_S)
            assert ready, "chromium did not answer"
            part = os.read(self.reading, 1 << 20)
            assert part, "chromium went away"
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)


class Page:
    """One tab: open a file, ask it things, press and click, take pictures, and remember every complaint and request."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.target = target

    def call(self, method: str, **params) -> dict:
        return self.browser.call(method, self.session, **params)

    def size(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def prefer(self, scheme: str) -> None:
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path: Path) -> None:
        """Navigate without a network, and wait until the page is loaded and drawn."""
        conditions = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self.call("Network.emulateNetworkConditions", **conditions)
        loads = self.load_count()
        self.call("Page.navigate", url=Path(path).as_uri())
        while self.load_count() == loads:
            self.browser.events.append(self.browser.receive())
        self.settle()

    def run(self, expression: str):
        """The value of a JavaScript expression, promises awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def settle(self) -> None:
        """Two frames have been drawn since."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element, as a person would."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{find}.scrollIntoView({{block: 'center'}})")
        self.settle()
        box = self.run(
            f"(() => {{ const b = {find}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; }})()"
        )
        self.mouse(box[0] + box[2] / 2, box[1] + box[3] / 2)

    def mouse(self, x: float, y: float, to_x: float | None = None) -> None:
        """A click at a point of the window, or a horizontal drag from it to `to_x`."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        end = x if to_x is None else to_x
        for part in (0.3, 0.7, 1.0) if to_x is not None else ():
            self.call(
                "Input.dispatchMouseEvent", type="mouseMoved", x=x + part * (end - x), y=y, button="left", buttons=1
            )
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=end, y=y, button="left", clickCount=1)
        self.settle()

    def choose(self, selector: str, value: str) -> None:
        """Take an option of a <select>, as the keyboard would."""
        self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
            " e.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )
        self.settle()

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text="\r" if key == "Enter" else "")
        self.settle()

    def picture(self, path: Path, whole: bool = True) -> None:
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def own_events(self) -> list[dict]:
        return [event for event in self.browser.events if event.get("sessionId") == self.session]

    def load_count(self) -> int:
        return sum(event["method"] == "Page.loadEventFired" for event in self.own_events())

    def complaints(self) -> list[str]:
        """Console errors and warnings, uncaught exceptions, failed loads, refusals by the content policy."""
        self.run("true")
        found = []
        for event in self.own_events():
            name, params = event["method"], event["params"]
            level = params["entry"]["level"] if name == "Log.entryAdded" else params.get("type", "")
            if name == "Runtime.exceptionThrown" or level in ("error", "warning", "assert"):
                found.append(json.dumps(params)[:500])
        return found

    def requests(self) -> list[str]:
        self.run("true")
        sent = [event for event in self.own_events() if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture
def page(browser):
    tab = Page(browser)
    tab.size(1400, 1000)
    yield tab
    tab.close()


def make_run(count=600, symbols=("AAPL",), trade_count=30, seed=1, step_s=86_400, **given):
    """A report.Run of seeded prices whose trades lie one after another, each of a random symbol and direction."""
    rng = np.random.default_rng(seed)
    ts_ns = (1_500_000_000 // step_s * step_s + np.arange(count, dtype=np.int64) * step_s) * 1_000_000_000 - 1
    prices = []
    for symbol in symbols:
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
        opened = np.concatenate(([100.0], close[:-1]))
        high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
        prices.append(report.PriceSeries(symbol, ts_ns, opened, high, low, close))
    trades = np.zeros(trade_count, TRADE_DTYPE)
    if trade_count:
        bars = np.sort(rng.choice(np.arange(1, count), 2 * trade_count, replace=False)).reshape(-1, 2)
        trades["entry_bar"], trades["exit_bar"] = bars[:, 0], bars[:, 1]
        trades["symbol"] = rng.integers(0, len(symbols), trade_count)
        trades["direction"] = rng.choice([-1, 1], trade_count)
        trades["quantity"] = 10.0
        close = np.stack([series.close for series in prices])
        for end, bar in (("entry", bars[:, 0]), ("exit", bars[:, 1])):
            trades[f"{end}_ts_ns"], trades[f"{end}_price"] = ts_ns[bar], close[trades["symbol"], bar]
        trades["pnl"] = 10.0 * trades["direction"] * (trades["exit_price"] - trades["entry_price"])
        trades["return_"] = trades["pnl"] / (10.0 * trades["entry_price"])
        trades["open"][-1] = True
    equity = 10_000.0 * prices[0].close / prices[0].close[0]
    fields = {
        "title": "Seeded run", "subtitle": "made for a test", "cash": 10_000.0, "ts_ns": ts_ns, "equity": equity,
        "drawdown": equity / np.maximum.accumulate(equity) - 1.0, "prices": prices, "trades": trades,
        "benchmark": 10_000.0 + 0.0 * equity, "digest": "0123456789abcdef" * 4, "settings": {"fees": {"rate": 0.001}},
        "periods_per_year": 365.0, "long": 0.5 + 0.3 * np.sin(np.arange(count)), "short": np.full(count, -0.1),
        "attribution": [report.Attribution("Symbol", [
            report.Contribution(symbol, 3 + k, 0.5, 2.0, 100.0 * (k + 1), -20.0) for k, symbol in enumerate(symbols)
        ], np.outer(1.0 + np.arange(len(symbols)), np.arange(count)))],
        "statistics": [report.Statistic("Return", "Total return", "12.00%", "what was earned", 1, True)],
    }  # fmt: skip
    return report.Run(**(fields | given))


@pytest.fixture
def run():
    return make_run
