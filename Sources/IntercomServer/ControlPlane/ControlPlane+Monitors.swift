// Clients that watch the registry: each change goes to all of them, and none of them holds up the daemon.

import ControlAPI
import DNSWire
import LinuxNet
import Registry
import Varlink

extension ControlPlane {
    /// Begins to tell a client of every change.
    func monitor(_ call: VarlinkCall, _ client: Ticket) {
        guard call.more, !call.oneway else {
            reply(VarlinkService.expectedMore(), to: client)
            return
        }
        monitors.insert(client)
        registry.isWatched = true
        stream([VarlinkReply.encode(Monitor.Reply(ready: true), continues: true)], to: client)
    }

    /// Tells all who watch of what has happened.
    func tellMonitors(_ events: [Registry.Event]) {
        guard !monitors.isEmpty else { return }
        let messages = events.map { event in
            VarlinkReply.encode(Monitor.Reply(change: Monitor.Change(event)), continues: true)
        }
        for client in monitors { stream(messages, to: client) }
    }

    /// The last word to all who watch: the daemon ends.
    func endMonitors() {
        for client in monitors { reply(VarlinkReply.encode(Monitor.Reply()), to: client) }
    }

    func endMonitor(_ client: Ticket) {
        guard monitors.remove(client) != nil else { return }
        registry.isWatched = !monitors.isEmpty
    }

    private func stream(_ messages: [[UInt8]], to client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        do throws(LinuxError) {
            for message in messages { try connections[position].stream(message) }
            try connections[position].flush()
            settle(client)
        } catch {
            close(client)
        }
    }

    /// Tells a client that has caught up what it has missed.
    func tellMissed(_ position: Int) throws(LinuxError) {
        guard let missed = connections[position].takeMissed() else { return }
        try connections[position].stream(VarlinkReply.encode(Monitor.Reply(missed: missed), continues: true))
        try connections[position].flush()
    }
}

extension Monitor.Change {
    init(_ event: Registry.Event) {
        switch event.subject {
        case .network(let name, let interface, let subnets, let isInternal):
            self.init(kind: "network", action: event.action.rawValue, network: name)
            self.interface = interface
            self.subnets = subnets.map(\.description)
            self.internal = isInternal
        case .container(let name, let path, let isDraining):
            self.init(kind: "container", action: event.action.rawValue, container: name)
            netns = path
            draining = isDraining
        case .endpoint(let container, let network, let addresses, let aliases):
            self.init(kind: "endpoint", action: event.action.rawValue, network: network, container: container)
            self.addresses = addresses.map(\.description)
            self.aliases = aliases
        }
        formerName = event.formerName
    }
}
