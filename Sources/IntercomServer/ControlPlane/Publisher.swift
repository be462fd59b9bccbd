// The registry, and how its changes come into force: names first, then listeners, then who waits for them is told.

import ControlAPI
import LinuxNet
import Logging
import Registry
import Varlink

/// Clients that watch the registry.
protocol Monitors: AnyObject {
    /// True while any client watches.
    var hasMonitors: Bool { get }
    /// Sends all of them some messages.
    func tell(_ messages: [[UInt8]])
}

/// Owns the registry and brings its changes into force in all workers.
///
/// Any part may change ``registry`` during a turn of the control thread. At the end of the turn the control plane has all
/// that has changed posted at once, in an order that no query can see through: ``postNames()``, then upstream groups, then
/// ``postListeners()``, then ``confirm()``.
final class Publisher {
    /// Networks and containers as they are known now.
    var registry: Registry
    private let workers: WorkerPool
    private let monitors: any Monitors
    /// Listeners for workers, behind the names that they are to answer with.
    private var listeners: [(view: ViewID, sockets: Handover<ListenerSockets>)] = []
    /// The same at ::1.
    private var v6Listeners: [(view: ViewID, sockets: Handover<ListenerSockets>)] = []
    /// Listeners of gateways, with the views of strangers there.
    private var gateways: [(gateway: Gateway, stranger: ViewID, sockets: Handover<ListenerSockets>)] = []
    /// Changes that monitors are told of when they are in force.
    private var events: [Registry.Event] = []
    /// Changes outside the registry that monitors are told of with them.
    private var changes: [Monitor.Change] = []
    /// Names that containers had.
    private(set) var formerNames = FormerNames()
    /// Callbacks of ``whenInForce(_:)``.
    private var waiting: [() -> Void] = []
    /// True until restored state has been published: what comes meanwhile waits.
    private(set) var isHeld = true

    /// - Parameters:
    ///   - registry: what is known at first.
    ///   - workers: where it comes into force.
    ///   - monitors: the clients that watch the registry.
    init(_ registry: Registry, workers: WorkerPool, monitors: any Monitors) {
        self.registry = registry
        self.workers = workers
        self.monitors = monitors
    }

    // MARK: - What the parts do in a turn

    /// Changes the registry, or looks at it, with refusals in the words of the control interface.
    func change<Result>(
        _ body: (inout Registry) throws(RegistryError) -> Result
    ) throws(ControlError) -> Result {
        do throws(RegistryError) {
            return try body(&registry)
        } catch {
            throw .of(error)
        }
    }

    /// Calls `done` when all that has changed until now is in force in each worker: exactly once, and not before
    /// ``release(_:)``.
    func whenInForce(_ done: @escaping () -> Void) { waiting.append(done) }

    /// True while any client watches.
    var hasMonitors: Bool { monitors.hasMonitors }

    /// Tells monitors of a change outside the registry, behind all that has changed there until now.
    func tell(_ change: Monitor.Change) { changes.append(change) }

    /// Has a worker listen with sockets, once it has the names of that container.
    func open(_ sockets: consuming ListenerSockets, of view: ViewID) { listeners.append((view, Handover(sockets))) }

    /// Has a worker serve a view at ::1, too, behind the listener that it has or is to have.
    func openV6(_ sockets: consuming ListenerSockets, of view: ViewID) { v6Listeners.append((view, Handover(sockets))) }

    /// Has a worker listen for guests at a gateway, once it knows who has which address there.
    func open(_ sockets: consuming ListenerSockets, of gateway: Gateway, strangers: ViewID) {
        gateways.append((gateway, strangers, Handover(sockets)))
    }

    /// Changes what holds for a gateway's listener.
    func change(_ gateway: Gateway) { workers.post(.gateway(gateway), to: worker(ofGateway: gateway.number)) }

    /// Has a worker close the listener of a gateway.
    func closeGateway(_ number: UInt32) {
        gateways.removeAll { $0.gateway.number == number }
        workers.post(.closeGateway(number), to: worker(ofGateway: number))
    }

    /// Has the workers tell of the first question of a view at a gateway.
    func awaitGuest(_ view: ViewID) { workers.post(.awaitGuest(view)) }

    private func worker(ofGateway number: UInt32) -> Int { Int(number) % workers.count }

    /// Has a worker close the listener of a view at ::1.
    func closeV6Listener(of view: ViewID) {
        v6Listeners.removeAll { $0.view == view }
        workers.post(.closeV6Listener(view), to: worker(of: view))
    }

    /// Has a worker close a listener at once; `done` is called when its port is free.
    func closeListener(of view: ViewID, then done: @escaping () -> Void) {
        dropListeners(of: view)
        let worker = worker(of: view)
        workers.post(.closeListener(view), to: worker)
        workers.ask([worker], { .fence(token: $0) }) { _ in done() }
    }

    /// Closes listeners that no worker has yet.
    func dropListeners(of view: ViewID) {
        listeners.removeAll { $0.view == view }
        v6Listeners.removeAll { $0.view == view }
    }

    /// Publishes from now on; `first` is called before all others when that is in force.
    func release(_ first: @escaping () -> Void) {
        isHeld = false
        waiting.insert(first, at: 0)
    }

    // MARK: - Lookups

    /// The worker that serves a view.
    func worker(of view: ViewID) -> Int { Int(view.rawValue) % workers.count }

    /// A container by its name.
    /// - Throws: `NoSuchContainer`, `AmbiguousName`.
    func container(named name: String) throws(ControlError) -> Registry.Container {
        try change { registry throws(RegistryError) in try registry.container(named: name) }
    }

    /// The name that people call a container by; empty where it has gone.
    func name(of container: ContainerID) -> String { registry[container]?.name ?? "" }

    // MARK: - The end of a turn

    /// Posts what has changed in the registry.
    func postNames() {
        events += registry.takeEvents()
        formerNames.add(registry.takeRenames())
        // Workers may wait for this core.
        var pace = Pace()
        let changes = registry.takeChanges { pace.giveWay() }
        if !changes.isEmpty { workers.post(.directory(changes)) }
    }

    /// Posts the listeners whose names have been posted.
    func postListeners() {
        for (view, sockets) in listeners { workers.post(.listen(view, sockets), to: worker(of: view)) }
        for (view, sockets) in v6Listeners { workers.post(.listenV6(view, sockets), to: worker(of: view)) }
        for (gateway, stranger, sockets) in gateways {
            workers.post(.listenAtGateway(gateway, stranger, sockets), to: worker(ofGateway: gateway.number))
        }
        gateways.removeAll()
        listeners.removeAll()
        v6Listeners.removeAll()
    }

    /// Tells monitors and those who wait, when each worker has taken what was posted.
    func confirm() {
        // Where nobody waits for it, the workers need not say that they have it.
        if events.isEmpty, changes.isEmpty, waiting.isEmpty { return }
        let (events, changes, waiting) = (self.events, self.changes, self.waiting)
        self.events = []
        self.changes = []
        self.waiting = []
        workers.ask(workers.indices, { .fence(token: $0) }) { [monitors] _ in
            Monitor.tell(events.map { Monitor.Change($0) } + changes, to: monitors)
            for done in waiting { done() }
        }
    }
}
