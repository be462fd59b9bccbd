# Opens a page in headless Chromium and drives it over the DevTools protocol, by its pipes: no port, no driver.
# browser.py PAGE [--size WIDTHxHEIGHT] [--dark] [--picture FILE] [STEP…]
# A step is JavaScript, whose value is printed; "key:ArrowDown" presses a key, "point:SELECTOR" points at an element.
# Prints JSON: {"problems": [errors and messages of the console], "requests": [addresses], "values": [one for each step]}.
import argparse, base64, json, os, pathlib, subprocess, sys, tempfile

parser = argparse.ArgumentParser()
parser.add_argument("page")
parser.add_argument("--size", default="1280x900")
parser.add_argument("--dark", action="store_true")
parser.add_argument("--picture")
parser.add_argument("--whole", action="store_true")
parser.add_argument("steps", nargs="*")
options = parser.parse_intermixed_args()
width, height = map(int, options.size.split("x"))

problems, requests, values = [], [], []
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()

    def pipes():  # Chromium reads descriptor 3 and writes descriptor 4.
        read, write = os.dup(to_read), os.dup(from_write)
        os.dup2(read, 3)
        os.dup2(write, 4)

    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
         "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
        preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(to_read)
    os.close(from_write)
    replies = os.fdopen(from_read, "rb")
    number, rest = 0, b""

    def message():
        global rest
        while b"\0" not in rest:
            read = replies.read1(65536)
            if not read: sys.exit("chromium has ended")
            rest += read
        text, rest = rest.split(b"\0", 1)
        return json.loads(text)

    def handle(event):
        method, fields = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent": requests.append(fields["request"]["url"])
        if method == "Runtime.exceptionThrown": problems.append(fields["exceptionDetails"].get("text", "exception"))
        if method == "Runtime.consoleAPICalled": problems.append(str(fields["args"]))
        if method == "Log.entryAdded": problems.append(fields["entry"]["text"])

    def call(method, session=None, **fields):
        global number
        number += 1
        text = {"id": number, "method": method, "params": fields} | ({"sessionId": session} if session else {})
        os.write(to_write, json.dumps(text).encode() + b"\0")
        while True:
            reply = message()
            if reply.get("id") == number:
                if "error" in reply: sys.exit(f"{method}: {reply['error']}")
                return reply["result"]
            handle(reply)

    try:
        target = call("Target.createTarget", url="about:blank")["targetId"]
        session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log"]: call(f"{domain}.enable", session)
        call("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1, mobile=False)
        call("Emulation.setEmulatedMedia", session,
             features=[{"name": "prefers-color-scheme", "value": "dark" if options.dark else "light"}])
        call("Page.navigate", session, url=pathlib.Path(options.page).resolve().as_uri())
        while True:
            event = message()
            handle(event)
            if event.get("method") == "Page.loadEventFired": break

        def evaluate(script):
            result = call("Runtime.evaluate", session, expression=script, returnByValue=True)
            if "exceptionDetails" in result: problems.append(str(result["exceptionDetails"]))
            return result["result"].get("value")

        for step in options.steps:
            if step.startswith("key:"):
                key = step[4:]
                codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9}
                for kind in ["rawKeyDown", "keyUp"]:
                    call("Input.dispatchKeyEvent", session, type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])
            elif step.startswith("point:"):
                box = evaluate(f"(b => [b.x + b.width / 2, b.y + b.height / 2])"
                               f"(document.querySelector({json.dumps(step[6:])}).getBoundingClientRect())")
                call("Input.dispatchMouseEvent", session, type="mouseMoved", x=box[0], y=box[1])
            else:
                values.append(evaluate(step))
        if options.picture:
            picture = call("Page.captureScreenshot", session, captureBeyondViewport=options.whole)
            pathlib.Path(options.picture).write_bytes(base64.b64decode(picture["data"]))
    finally:
        # Its other processes end with it, and write into the profile until then.
        browser.kill()
        browser.wait()
print(json.dumps({"problems": problems, "requests": requests, "values": values}))
