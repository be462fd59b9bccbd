// Listeners at the host's addresses on networks with gateway-listener: opened, followed as addresses come and go, tried again.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage
import Systemd

/// Opens and closes listeners for guests as networks and the host's addresses on them come and go.
///
/// What fails is tried again: another program may have the port. The other listeners go on meanwhile.
final class GatewayListeners {
    /// The first pause before a listener is tried again, and the longest: each pause is twice the one before.
    private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(30))

    /// A place for a listener.
    fileprivate struct Place: Hashable {
        let network: ScopeID
        let interface: InterfaceIndex
        // In halves: a 128-bit number inside a structure that is passed in registers loses its alignment (Swift 6.3, debug).
        private let high: UInt64
        private let low: UInt64

        init(network: ScopeID, interface: InterfaceIndex, address: IPAddress) {
            self.network = network
            self.interface = interface
            high = UInt64(truncatingIfNeeded: address.number >> 64)
            low = UInt64(truncatingIfNeeded: address.number)
        }

        /// The host's address.
        var address: IPAddress { IPAddress(number: UInt128(high) << 64 | UInt128(low)) }
    }

    fileprivate enum State {
        case opening
        case listening
        case failed(String, retry: ContinuousClock.Instant)
    }

    fileprivate struct Entry {
        let number: UInt32
        var network: Registry.Gateway
        var state = State.opening
        var pause = pauses.first

        /// The part of it that a worker has.
        var gateway: Gateway {
            Gateway(
                number: number, network: network.network, subnets: network.subnets,
                unknownSources: network.unknownSources)
        }
    }

    private let requests: OpenerRequests
    private let publisher: Publisher
    private let logger: Logger
    /// Listeners that the last daemon left with the service manager.
    private var stored: StoredGateways
    private var entries: [Place: Entry] = [:]
    /// Networks that should have a listener and cannot, with the reason.
    private var placeless: [ScopeID: (network: String, reason: String)] = [:]
    /// Callbacks for the first questions of guests.
    private var awaited: [ViewID: [() -> Void]] = [:]
    private var lastNumber: UInt32 = 0

    init(
        requests: OpenerRequests, publisher: Publisher, stored: consuming StoredGateways, logger: Logger
    ) {
        self.requests = requests
        self.publisher = publisher
        self.stored = stored
        self.logger = logger
    }

    // MARK: - Networks

    /// Opens and closes listeners, so that there is one at each address.
    func follow(_ networks: [Registry.Gateway]) {
        var wanted: [Place: Registry.Gateway] = [:]
        placeless = [:]
        for network in networks {
            guard let interface = network.interface else {
                let name = network.interfaceName.map { "interface \($0)" } ?? "a bridge of that name"
                placeless[network.network] = (network.name, "\(name) is not there yet; it is waited for")
                continue
            }
            if network.addresses.isEmpty {
                let name = network.interfaceName ?? network.name
                placeless[network.network] = (
                    network.name,
                    "the host has no address on \(name); add one ('ip address add ADDRESS/LENGTH dev \(name)')"
                )
            }
            for address in network.addresses where !address.isLoopback {
                wanted[Place(network: network.network, interface: interface, address: address)] = network
            }
        }
        for (place, entry) in entries where wanted[place] == nil { close(place, entry) }
        for (place, network) in wanted {
            guard let known = entries[place] else {
                lastNumber &+= 1
                entries[place] = Entry(number: lastNumber, network: network)
                open(place)
                continue
            }
            guard known.network != network else { continue }
            entries[place]?.network = network
            if case .listening = known.state, let gateway = entries[place]?.gateway { publisher.change(gateway) }
        }
    }

    private func open(_ place: Place) {
        guard let number = entries[place]?.number else { return }
        entries[place]?.state = .opening
        if let sockets = stored.take(place.address, on: place.interface.rawValue) { return serve(place, sockets) }
        requests.request { opener in
            Result { () throws(LinuxError) in
                Handover(try opener.openGatewayListener(at: place.address, on: place.interface.rawValue))
            }
        } late: { [weak self] in
            self?.refused(place, number, "the opener does not answer; see 'systemctl status intercom-opener'")
        } done: { [weak self] (result: Result<Handover<ListenerSockets>, LinuxError>) in
            guard let self, entries[place]?.number == number else { return }
            switch result {
            case .failure(let error): refused(place, number, Self.text(of: error))
            case .success(let handover): if let sockets = handover.take() { serve(place, sockets) }
            }
        }
    }

    /// Why a listener could not be opened, and what to do.
    private static func text(of error: LinuxError) -> String {
        guard error.errno == .addressInUse else { return "\(error)" }
        return
            "\(error); keep it off this address (dnsmasq: 'except-interface' with 'bind-dynamic'; aardvark-dns: 'podman network create --disable-dns'), or leave out gateway-listener"
    }

    private func serve(_ place: Place, _ sockets: consuming ListenerSockets) {
        guard let entry = entries[place] else { return }
        keep(sockets, place)
        publisher.open(sockets, of: entry.gateway, strangers: entry.network.stranger)
        entries[place]?.state = .listening
        entries[place]?.pause = Self.pauses.first
        logger.info(
            "network \(entry.network.name): guests are answered at \(place.address)",
            metadata: .about(network: entry.network.name))
    }

    private func refused(_ place: Place, _ number: UInt32, _ text: String) {
        guard let entry = entries[place], entry.number == number else { return }
        entries[place]?.state = .failed(text, retry: .now + entry.pause)
        entries[place]?.pause = min(entry.pause * 2, Self.pauses.longest)
        logger.warning(
            "network \(entry.network.name): guests cannot be answered at \(place.address): \(text)",
            metadata: .about(network: entry.network.name, limitedAs: "gateway \(place.address)"))
    }

    private func close(_ place: Place, _ entry: Entry) {
        entries[place] = nil
        letGo(of: place)
        publisher.closeGateway(entry.number)
        logger.info(
            "network \(entry.network.name): guests are not answered at \(place.address) any more",
            metadata: .about(network: entry.network.name))
    }

    // MARK: - Events

    /// A worker cannot serve with the sockets of a gateway any more: it has closed them.
    func failed(_ number: UInt32, _ error: LinuxError) {
        guard let place = entries.first(where: { $0.value.number == number })?.key else { return }
        letGo(of: place)
        refused(place, number, "\(error)")
    }

    /// Time at which ``expire()`` is due; nil: nothing is to be tried again.
    var nextDeadline: ContinuousClock.Instant? {
        entries.isEmpty ? nil : entries.values.lazy.compactMap(\.retry).min()
    }

    /// Tries again what is due.
    func expire() {
        guard !entries.isEmpty else { return }
        let now = ContinuousClock.now
        for (place, entry) in entries where entry.retry.map({ $0 <= now }) ?? false { open(place) }
    }

    // MARK: - Guests

    /// Calls `done` when a container has asked its first question at a gateway from now on.
    func whenAsked(by container: ContainerID, _ done: @escaping () -> Void) {
        awaited[container.view, default: []].append(done)
        publisher.awaitGuest(container.view)
    }

    /// A guest that is waited for has asked.
    func asked(by view: ViewID) {
        for done in awaited.removeValue(forKey: view) ?? [] { done() }
    }

    // MARK: - For people

    /// The listeners of a network, by their addresses; none where it has none.
    func describe(_ network: ScopeID) -> [ControlAPI.Network.GatewayListener] {
        var listeners = entries.filter { $0.key.network == network }.sorted { $0.key.address < $1.key.address }.map {
            ControlAPI.Network.GatewayListener(
                address: $0.key.address.description, state: $0.value.word, reason: $0.value.reason)
        }
        if let reason = placeless[network]?.reason {
            listeners.append(ControlAPI.Network.GatewayListener(address: "", state: "no listener", reason: reason))
        }
        return listeners
    }

    /// Sentences about listeners that should be there and are not.
    var warnings: [String] {
        placeless.values.map { "network \($0.network): no listener for guests: \($0.reason)" }
            + entries.compactMap { place, entry in
                entry.reason.map { "network \(entry.network.name): no listener for guests at \(place.address): \($0)" }
            }
    }

    // MARK: - Kept over a restart

    /// Has the service manager keep a listener; without one it lives as long as we.
    private func keep(_ sockets: borrowing ListenerSockets, _ place: Place) {
        let name = StoredGateways.name(of: place.address, on: place.interface.rawValue)
        guard ServiceManager.isListening, stored.keep(name) else { return }
        do throws(SystemdError) {
            try ServiceManager.store(sockets, as: name)
        } catch {
            logger.warning(
                "the service manager does not store the listener at \(place.address), so queries fail during a restart: \(error)",
                metadata: .about(limitedAs: "store"))
        }
    }

    private func letGo(of place: Place) {
        let name = StoredGateways.name(of: place.address, on: place.interface.rawValue)
        if stored.letGo(of: name) { try? ServiceManager.forget(name) }
    }

    /// Lets go of listeners of the last daemon that no network has any more.
    func closeUnclaimed() {
        let used = Set(entries.keys.map { StoredGateways.name(of: $0.address, on: $0.interface.rawValue) })
        for name in stored.closeAll(but: used) { try? ServiceManager.forget(name) }
    }
}

extension GatewayListeners.Entry {
    fileprivate var retry: ContinuousClock.Instant? {
        if case .failed(_, let retry) = state { retry } else { nil }
    }

    fileprivate var reason: String? { if case .failed(let text, _) = state { text } else { nil } }

    /// State in one word or two, as of containers.
    fileprivate var word: String {
        switch state {
        case .opening: "starting"
        case .listening: "listening"
        case .failed: "no listener"
        }
    }
}
