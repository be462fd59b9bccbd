// Logs that nobody reads hold up nobody.

import Foundation
import Glibc
import Testing

@Suite("A log that nobody reads", .needsRoot)
struct LogTests {
    @Test("does not stop the daemon: messages are dropped, and their number is told when there is a reader again")
    func fullPipe() throws {
        try House.lend(configuration: House.undiscovered) { house in
            // The daemon's standard error becomes a pipe whose reader sleeps until it is told to read.
            #expect(house.stopDaemon() == 0)
            let output = try house.python(
                """
                import os, subprocess, sys, time
                binaries, config, path, state = sys.argv[1:]
                read, write = os.pipe()
                daemon = subprocess.Popen([binaries + "/intercomd", "--config", config, "--socket", path, "--state-dir", state], stderr=write)
                os.close(write)
                def ctl(*arguments): return subprocess.run([binaries + "/intercomctl", "--socket", path, *arguments], capture_output=True, timeout=20)
                deadline = time.monotonic() + 20
                while ctl("status").returncode != 0 and time.monotonic() < deadline: time.sleep(0.05)
                import json, socket
                s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(path)
                # Two lines of a hundred octets each: more than the 64 KiB that a pipe has.
                for n in range(1000):
                    for method in "CreateNetwork", "RemoveNetwork":
                        s.sendall(json.dumps(dict(method="intercom.Control." + method, parameters={"name": "n" + "x" * 60})).encode() + b"\\0")
                        assert s.recv(1000).endswith(b"\\0")
                print(ctl("status").returncode)
                os.set_blocking(read, False)
                text = b""
                while True:
                    try: text += os.read(read, 1 << 20)
                    except BlockingIOError: break
                print(b"ready" in text, b"dropped" in text)
                ctl("network", "create", "last")
                time.sleep(0.1)
                lines = os.read(read, 1 << 20).decode().splitlines()
                dropped = int(lines[0].split()[1])
                print(lines[0] == "warning: %d log messages were dropped, as nobody read them" % dropped, dropped + text.count(b"created") + text.count(b"removed") == 2000, lines[1])
                daemon.kill()
                """,
                [House.binaries, house.configuration, house.socket, house.state])
            #expect(
                output.lines == ["0", "True False", "True True info: network last created"], "\(output)")
        }
    }
}
