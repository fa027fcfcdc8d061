"""Chromium from the machine, driven by Playwright, against pages on loopback; it reaches nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

from tools.outside_programs import PROGRAMS

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1280, 360


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAMS["browser"].find(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(browser: Browser, *, with_script: bool = True) -> AsyncIterator[Page]:
    """A page without history; what goes wrong inside it, or is asked of another host, fails the test."""
    context = await browser.new_context(java_script_enabled=with_script, viewport={"width": WIDE, "height": 900}, locale="en-CA")
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not _is_ours(request.url) else None)
    try:
        yield page
    finally:
        await context.close()
    assert faults == []


async def fits(page: Page, width: int) -> bool:
    """Nothing reaches beyond the window at this width."""
    await page.set_viewport_size({"width": width, "height": 900})
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))
