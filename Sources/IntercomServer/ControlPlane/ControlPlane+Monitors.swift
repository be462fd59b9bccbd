// Clients that watch the registry: each change goes to all of them, and none of them holds up the daemon.

import ControlAPI
import DNSWire
import LinuxNet
import Registry
import Tables
import Varlink

extension ControlPlane {
    /// Begins to tell a client of every change.
    func monitor(_ call: VarlinkCall, _ client: Ticket) {
        guard call.more, !call.oneway else {
            return controlSocket.reply(VarlinkService.expectedMore(), to: client)
        }
        controlSocket.watch(
            client, beginning: VarlinkReply.encode(Monitor.Reply(ready: true), continues: true))
        registry.isWatched = true
    }

    /// Tells all who watch of what has happened.
    func tellMonitors(_ events: [Registry.Event]) {
        guard controlSocket.hasMonitors else { return }
        controlSocket.tell(
            events.map { VarlinkReply.encode(Monitor.Reply(change: Monitor.Change($0)), continues: true) })
    }

    /// The last word to all who watch: the daemon ends.
    func endMonitors() { controlSocket.endMonitors(with: VarlinkReply.encode(Monitor.Reply())) }
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
