// Notices to a service manager, as it receives them. Each test is a process of its own: it changes the environment.

import LinuxNet
import Systemd
import Testing

@Suite("A service manager")
struct ServiceManagerTests {
    @Test("is told of start, reload, state, life and end")
    func notices() async {
        await #expect(processExitsWith: .success) {
            let manager = try StandInManager()
            #expect(ServiceManager.isListening)
            try ServiceManager.tell([.ready, .status("2 networks, 5 containers")])
            #expect(try manager.message() == ["READY=1", "STATUS=2 networks, 5 containers"])
            try ServiceManager.tell([.reloading(at: MonotonicTime(microseconds: 4_711))])
            #expect(try manager.message() == ["RELOADING=1", "MONOTONIC_USEC=4711"])
            try ServiceManager.tell([.alive])
            #expect(try manager.message() == ["WATCHDOG=1"])
            try ServiceManager.tell([.stopping])
            #expect(try manager.message() == ["STOPPING=1"])
            try ServiceManager.tell([.status("web\nREADY=1\r\nFDSTORE=1")])
            #expect(try manager.message() == ["STATUS=web READY=1 FDSTORE=1"], "no assignment comes from outside")
        }
    }

    @Test("keeps a listener's sockets: they work after ours are closed, and go by their name")
    func store() async {
        await #expect(processExitsWith: .success) {
            let manager = try StandInManager()
            let address = SocketAddress(v4: 0x7F00_0001, port: 0)
            let bound: SocketAddress
            do {
                let udp = try UDPSocket.bound(to: address)
                let cookie = try udp.networkNamespaceCookie()
                bound = try udp.localAddress()
                let tcp = try TCPSocket.listening(at: address)
                try ServiceManager.store(ListenerSockets(udp: udp, tcp: tcp, cookie: cookie), as: "netns-4711")
            }
            let assignments = try manager.take { count, descriptors in
                #expect(count == 2)
                guard let kept = descriptors.next() else { throw NoDescriptor() }
                #expect(try kept.localAddress() == bound)
                let client = try UDPSocket.connected(to: bound)
                let sent = try client.send([1, 2, 3].span)
                var buffer = [UInt8](repeating: 0, count: 8)
                #expect(try kept.receive(into: &buffer) == sent)
            }
            #expect(assignments == ["FDSTORE=1", "FDNAME=netns-4711", "FDPOLL=0"])
            try ServiceManager.forget("netns-4711")
            #expect(try manager.message() == ["FDSTOREREMOVE=1", "FDNAME=netns-4711"])
        }
    }

    @Test("that is not there is told nothing, and that is no error")
    func absent() async {
        await #expect(processExitsWith: .success) {
            setVariable("NOTIFY_SOCKET", nil)
            #expect(!ServiceManager.isListening)
            try ServiceManager.tell([.ready])
        }
    }

    @Test("that has gone is an error that says so")
    func gone() async {
        await #expect(processExitsWith: .success) {
            setVariable("NOTIFY_SOCKET", "/nonexistent/socket")
            do throws(SystemdError) {
                try ServiceManager.tell([.ready])
                Issue.record("nobody is there")
            } catch {
                #expect(error.description == "sd_notify: No such file or directory")
            }
        }
    }

    @Test("expects a sign of life as often as it says, from the process that it means")
    func watchdog() async {
        await #expect(processExitsWith: .success) {
            setVariable("WATCHDOG_USEC", nil)
            #expect(ServiceManager.watchdogInterval == nil)
            setVariable("WATCHDOG_USEC", "30000000")
            setVariable("WATCHDOG_PID", "\(ProcessDescriptor.own)")
            #expect(ServiceManager.watchdogInterval == .seconds(30))
            setVariable("WATCHDOG_PID", "1")
            #expect(ServiceManager.watchdogInterval == nil)
        }
    }

    @Test(
        "names what it stores in printable ASCII without a colon",
        arguments: [
            ("netns-4711", true), ("a b", true), ("", false), ("a:b", false), ("a\nb", false), ("ä", false),
            (String(repeating: "x", count: 255), true), (String(repeating: "x", count: 256), false),
        ])
    func names(name: String, isGood: Bool) {
        #expect(ServiceManager.isStoreName(name) == isGood)
    }
}

/// A message brought fewer descriptors than it should.
private struct NoDescriptor: Error {}
