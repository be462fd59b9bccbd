// The worked examples on the pages of the rooms with I/O. RepositoryTests holds the pages to this text.

import ControlAPI
import IntercomServer
import LinuxNet
import RuntimeWire
import Runtimes
import Systemd
import Testing

@Suite("The example of a room with I/O")
struct ImpureRoomExamples {
    @Test("LinuxNet answers a batch of datagrams when epoll says that there is one")
    func linuxNet() throws {
        let server = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))  // 127.0.0.1, any port
        let client = try UDPSocket.connected(to: server.localAddress())
        _ = try client.send([1, 2, 3].span)

        var epoll = try Epoll()
        try epoll.add(server, token: 7, interest: [.readable])
        let ready = try epoll.wait(timeoutMilliseconds: 1000)  // 1 event, of token 7

        var receiver = UDPReceiver()
        var sender = UDPSender()
        for index in 0..<(try receiver.receive(from: server)) {
            let count = receiver.packet(index).count
            var buffer = sender.nextBuffer
            buffer[0] = UInt8(truncatingIfNeeded: count)
            sender.commit(length: 1, toSourceOf: receiver, index: index)
        }
        let (sent, dropped) = sender.flush(to: server)  // 1, 0

        var reply = [UInt8](repeating: 0, count: 16)
        #expect(try client.receive(into: &reply) == 1 && reply[0] == 3)
        #expect(ready == 1 && epoll.event(0).token == 7 && sent == 1 && dropped == 0)
    }

    @Test("Systemd tells the service manager that the service is ready")
    func systemd() throws {
        try ServiceManager.tell([.ready, .status("3 networks, 12 containers")])
        if ServiceManager.watchdogInterval != nil {
            // Within each interval, and only while every thread makes progress:
            try ServiceManager.tell([.alive])
        }
    }

    @Test("Runtimes publishes a container of any runtime in one way")
    func runtimes() {
        var web = RuntimeContainer(name: "web", id: "4c01db0b339c")
        web.pid = 4711
        web.isHealthy = false
        let published = PublishedContainer(web)  // by its pid, and left out of aliases that others serve, too: draining

        #expect(published.pid == 4711 && published.draining == true && published.name == "web")
    }

    @Test("IntercomServer reads a configuration, and reports each mistake with its place")
    func intercomServer() throws {
        let configuration = try Configuration.parse(text: "[server]\nttl = 60", file: "intercom.toml")
        let ttl = configuration.server.ttl  // 60

        var mistakes = ""
        do throws(ConfigurationError) {
            _ = try Configuration.parse(text: "[server]\nttl = \"60\"", file: "intercom.toml")
        } catch {
            mistakes = error.description  // intercom.toml:2:7: ttl: expected an integer, found a string
        }

        #expect(ttl == 60 && mistakes == "intercom.toml:2:7: ttl: expected an integer, found a string")
    }
}
