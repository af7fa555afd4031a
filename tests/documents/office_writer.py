"""LibreOffice at work: opens source documents and stores them in other formats, under passwords where asked.

Run by Debian's own python3, which has the bridge to LibreOffice (python3-uno):
    /usr/bin/python3 office_writer.py JOBS.json    [{"source": …, "target": …, "filter": …, "password": …}, …]
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import uno
from com.sun.star.beans import NamedValue, PropertyValue

_START_S = 90


def main(jobs_path: str) -> None:
    jobs = json.loads(pathlib.Path(jobs_path).read_text())
    with tempfile.TemporaryDirectory() as home:
        pipe = f"attachments{pathlib.Path(home).name}"
        command = [
            "soffice", "--headless", "--invisible", "--norestore", "--nologo", "--nofirststartwizard",
            f"-env:UserInstallation=file://{home}", f"--accept=pipe,name={pipe};urp;StarOffice.ComponentContext",
        ]  # fmt: skip
        office = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            desktop = connected(pipe)
            for job in jobs:
                store(desktop, job)
            desktop.terminate()
        finally:
            try:
                office.wait(20)
            except subprocess.TimeoutExpired:
                office.kill()


def connected(pipe: str):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    until = time.monotonic() + _START_S
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def store(desktop, job: dict) -> None:
    document = desktop.loadComponentFromURL(url(job["source"]), "_blank", 0, (prop("Hidden", True),))
    if document is None:
        raise SystemExit(f"LibreOffice can't open {job['source']}")
    properties = [prop("FilterName", job["filter"])]
    if job.get("password") and job["filter"].endswith("pdf_Export"):
        data = uno.Any(
            "[]com.sun.star.beans.PropertyValue",
            (prop("EncryptFile", True), prop("DocumentOpenPassword", job["password"])),
        )
        properties.append(prop("FilterData", data))
    elif job.get("password") and job["target"].endswith("x"):
        pairs = (("OOXPassword", job["password"]), ("CryptoType", "Standard"))
        secret = tuple(NamedValue(name, value) for name, value in pairs)
        properties.append(prop("EncryptionData", uno.Any("[]com.sun.star.beans.NamedValue", secret)))
    elif job.get("password"):
        properties.append(prop("Password", job["password"]))
    document.storeToURL(url(job["target"]), tuple(properties))
    document.close(True)


def url(path: str) -> str:
    return uno.systemPathToFileUrl(path)


def prop(name: str, value: object) -> PropertyValue:
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


if __name__ == "__main__":
    main(sys.argv[1])
