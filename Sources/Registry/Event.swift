// Changes of the registry, one after another, for subscribers.

package import DNSWire

extension Registry {
    /// Something that is in force now and was not before, or the other way round.
    package struct Event: Sendable, Equatable {
        /// Kind of change.
        package enum Action: String, Sendable {
            /// It is new, is otherwise now, or is gone.
            case added, changed, removed
        }

        /// The object after the change (before it, if removed).
        package enum Subject: Sendable, Equatable {
            /// A network by its name.
            case network(String, interface: String?, subnets: [Subnet], isInternal: Bool)
            /// - Parameter path: that of a namespace that was found.
            case container(String, path: String?, isDraining: Bool)
            /// A container on a network.
            case endpoint(container: String, network: String, addresses: [IPAddress], aliases: [String])
            /// Another host.
            case host(String, isLost: Bool, address: IPAddress?)
            /// A container of another host.
            case remote(String, host: String, isDraining: Bool)
        }

        /// Kind of change.
        package var action: Action
        /// The object that changed.
        package var subject: Subject
        /// Name of a network or a container before the change, if that is different.
        package var formerName: String?
    }

    /// Changes since the last call, in their order; none while nobody watches.
    package mutating func takeEvents() -> [Event] {
        defer { events.removeAll() }
        return events
    }

    /// A container that has another name than before.
    package struct Rename: Sendable, Equatable {
        /// The container.
        package var container: ContainerID
        /// The name that it had.
        package var formerName: String
    }

    /// Renames since the last call, in their order; at most so many that one look at them costs little.
    package mutating func takeRenames() -> [Rename] {
        defer { renames.removeAll() }
        return renames
    }

    /// The most renames that wait to be taken.
    private static var renameLimit: Int { 256 }

    /// A container that was found by a file which a runtime numbers had no name before.
    private mutating func noteRename(_ new: Container, before old: Container) {
        guard old.name != new.name, !old.isGone, !new.isGone, old.source != nil || old.observed?.isNamed == true else {
            return
        }
        if renames.count == Self.renameLimit { renames.removeFirst() }
        renames.append(Rename(container: new.id, formerName: old.name))
    }

    // MARK: - For this room

    mutating func record(_ new: Network, before old: Network) {
        guard isWatched, let action = Self.action(old.isGone, new.isGone) else { return }
        if action == .changed, old.declared == new.declared, old.published == new.published,
            old.observed == new.observed
        {
            return
        }
        let shown = new.isGone ? old : new
        let subject = Event.Subject.network(
            shown.name, interface: shown.interface, subnets: shown.subnets, isInternal: shown.isInternal)
        let isRenamed = action == .changed && old.name != new.name
        events.append(Event(action: action, subject: subject, formerName: isRenamed ? old.name : nil))
    }

    /// A container, then the endpoints that it has gained and lost; the other way round for one that has gone.
    mutating func record(_ new: Container, before old: Container) {
        noteRename(new, before: old)
        guard isWatched else { return }
        if !new.isGone { recordItself(new, before: old) }
        for endpoint in old.endpoints where new.endpoint(on: endpoint.network) == nil {
            record(.removed, endpoint, of: old)
        }
        for endpoint in new.endpoints {
            let before = old.endpoint(on: endpoint.network)
            if before != endpoint { record(before == nil ? .added : .changed, endpoint, of: new) }
        }
        if new.isGone { recordItself(new, before: old) }
    }

    private mutating func recordItself(_ new: Container, before old: Container) {
        guard let action = Self.action(old.isGone, new.isGone) else { return }
        let isAlike = new.isNamed(as: old) && new.name == old.name && new.observed?.path == old.observed?.path
        if action == .changed, isAlike, new.isDraining == old.isDraining { return }
        let shown = new.isGone ? old : new
        let subject = Event.Subject.container(shown.name, path: shown.observed?.path, isDraining: shown.isDraining)
        let isRenamed = action == .changed && old.name != new.name
        events.append(Event(action: action, subject: subject, formerName: isRenamed ? old.name : nil))
    }

    private mutating func record(_ action: Event.Action, _ endpoint: Endpoint, of container: Container) {
        let network = networkStates[endpoint.network]?.name ?? goneNetworks[endpoint.network] ?? ""
        let subject = Event.Subject.endpoint(
            container: container.name, network: network, addresses: endpoint.addresses, aliases: endpoint.aliases)
        events.append(Event(action: action, subject: subject, formerName: nil))
    }

    mutating func record(_ new: RemoteHost?, before old: RemoteHost?) {
        guard isWatched, let shown = new ?? old, let action = Self.action(old == nil, new == nil) else { return }
        if let new, let old, new.isLost == old.isLost, new.address == old.address { return }
        let subject = Event.Subject.host(shown.name, isLost: shown.isLost, address: shown.address)
        events.append(Event(action: action, subject: subject, formerName: nil))
    }

    mutating func record(_ remote: Remote, _ action: Event.Action) {
        guard isWatched, let host = host(of: remote) else { return }
        let subject = Event.Subject.remote(remote.name, host: host.name, isDraining: remote.isDraining)
        events.append(Event(action: action, subject: subject, formerName: nil))
    }

    private static func action(_ wasGone: Bool, _ isGone: Bool) -> Event.Action? {
        switch (wasGone, isGone) {
        case (true, true): nil
        case (true, false): .added
        case (false, true): .removed
        case (false, false): .changed
        }
    }
}
