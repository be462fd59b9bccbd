// A turn of the control plane: events go to their parts, and what has changed is put into force at its end.

import Attachment
import ControlAPI
import Forwarding
import LinuxNet
import Logging
import Registry
import Varlink

extension ControlPlane {
    /// Why the daemon ends.
    enum End {
        /// A signal; `isReplaced`: the next daemon begins at once.
        case signal(isReplaced: Bool)
        case failure(WorkerFailure)

        var isReplaced: Bool { if case .signal(let isReplaced) = self { isReplaced } else { true } }
    }

    /// Waits, and has each part do what there is to do.
    func turn() throws(LinuxError) -> End? {
        var end: End?
        let deadlines = [
            containers.room.nextDeadline, containers.hearing.nextDeadline, containers.hearing.waiters.nextDeadline,
            requests.nextDeadline, workers.nextDeadline, start.nextDeadline, sources.nextDeadline,
            questions.nextDeadline, cluster.nextDeadline, gateways.nextDeadline, gates.nextDeadline,
        ]
        for token in try loop.wait(until: deadlines) {
            switch token {
            case .signals: end = takeSignals() ?? end
            case .mailbox: workers.takeReplies { report in end = take(report) ?? end }
            case .requests: requests.takeResults()
            case .control: takeCalls()
            case .cluster: takeClusterCalls()
            case .resolveHook: takeLookups()
            case .inotify: containers.takePathEvents()
            case .mounts: namespaces.takeMountEvents()
            case .resolver: takeResolverChange()
            case .heartbeat: service.beat(with: workers) { [self] in statusLine }
            case .process(let ticket): containers.processEnded(ticket)
            case .redirection(let ticket): containers.redirections.serve(ticket)
            case .netlink(let ticket): discovery.takeKernelEvents(ticket)
            case .namespaces: namespaces.takePathEvents()
            case .routes: discovery.routes.takeEvents()
            case .proof(let ticket): containers.hearing.serve(ticket)
            case .hosts: configured.hosts.takeEvents()
            case .gates: gates.takeEvents()
            }
        }
        // Work on a publication of this turn begins at once.
        if loop.isAnythingDue || sources.isBusy { carryOutDue() }
        return end
    }

    private func carryOutDue() {
        requests.expire()
        workers.expire()
        containers.expireProofs()
        containers.tick(now: .now)
        sources.work()
        gateways.expire()
        gates.tick(now: .now)
        questions.turn()
        cluster.forgetDue(now: .now)
        for task in loop.takeDueTasks() {
            switch task {
            case .lookForAbsent: containers.endAbsent()
            case .catchUp: discovery.catchUp()
            case .subscribe: discovery.subscribe()
            case .readRoutes: discovery.readRoutes()
            case .outletHasChanged: discovery.routes.outletHasChanged()
            case .trimMemory: Memory.trim()
            }
        }
    }

    /// Brings what has changed in a turn into force, and then tells others of it: the workers come first, the disk last.
    func endTurn() {
        takeKernelChanges()
        for container in publisher.registry.takeLockChanges() { containers.lockChanged(of: container) }
        goOnWithStart()
        // The names of one publication come into force together.
        let isComplete = !publisher.isHeld && !sources.isBusy
        if isComplete { post() }
        workers.deliver()
        if isComplete { cluster.export() }
        state.synchronize()
    }

    /// Posts what has changed, in this order: the registry knows what the kernel shows; workers get names, upstream groups, listeners;
    /// monitors and callers are told when that is in force.
    private func post() {
        sources.settleWaits()
        if upstreams.haveChanged {
            // Networks were declared, perhaps for interfaces that were none.
            discovery.selectInterfaces()
            publisher.registry.setHostDomains(
                upstreams.hostDomains, forContainers: upstreams.containersFollowHost)
        }
        takeKernelChanges()
        // A published container that was found, or is entered later, comes with its own servers then.
        if publisher.registry.takeOwnGroupChange() { upstreams.noteChange() }
        containers.followSearches()
        if let networks = publisher.registry.takeGateways() { gateways.follow(networks) }
        publisher.postNames()
        upstreams.post(of: publisher.registry)
        gates.follow()
        publisher.postListeners()
        publisher.confirm()
    }

    private func takeKernelChanges() {
        containers.observe(discovery.isObserving)
        for container in discovery.takeChanges() {
            containers.linksChanged(of: container)
            gates.linksChanged(of: container)
        }
        for container in discovery.takeReaddressed() { containers.addressesChanged(of: container) }
    }

    // MARK: - Events for several parts

    private func takeSignals() -> End? {
        var end: End?
        while let signal = loop.nextSignal() {
            switch signal {
            case .hangUp:
                do throws(ControlError) {
                    try reload { _ in }
                } catch {
                    logger.error("\(error.message)", metadata: .about(.configurationRefused))
                }
            case .terminate, .interrupt, .user2:
                logger.info("ending on \(signal)")
                // RestartKillSignal= of the unit is SIGUSR2.
                end = .signal(isReplaced: signal == .user2)
            }
        }
        return end
    }

    private func takeCalls() {
        controlSocket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: controlSocket, by: self) }
        for client in controlSocket.takeClosed() { sources.abandon(client) }
        publisher.registry.isWatched = controlSocket.hasMonitors
    }

    private func takeClusterCalls() {
        guard let socket = cluster.socket else { return }
        socket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: socket, by: self) }
        for client in socket.takeClosed() { cluster.clientHasGone(client) }
    }

    private func takeLookups() {
        guard let socket = resolveHook.socket else { return }
        socket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: socket, by: self) }
        _ = socket.takeClosed()
    }

    private func takeResolverChange() {
        let hasChanged = upstreams.takeResolverChange()
        upstreams.followHost()
        if hasChanged { containers.resolverFiles.rewrite(for: upstreams.resolver) }
    }

    /// Takes what a worker says unasked.
    private func take(_ report: WorkerReply) -> End? {
        switch report {
        case .needsSockets(let view, let kind, let count): upstreams.sockets.open(for: view, kind, count)
        case .unanswered(let view, let servers): upstreams.probe(for: view, servers)
        case .formerServersLost(let view): upstreams.formerServersLost(of: view)
        case .looped(let token): upstreams.takeLoop(token)
        case .heard(let token): containers.hearing.arrived(token)
        case .listenerRepaired(let view) where view == .host: break
        case .listenerRepaired(let view): containers.listenerWasRepaired(of: view)
        case .listenerFailed(let view, let error) where view == .host: upstreams.hostListener.failed(error)
        case .listenerFailed(let view, let error): containers.listenerFailed(of: view, error)
        case .gatewayFailed(let number, let error): gateways.failed(number, error)
        case .guestAsked(let view): gateways.asked(by: view)
        case .denied(let notes, let leftOut): questions.denials.take(notes, leftOut: leftOut)
        case .gateFailed(let view, let errno): gates.failed(ContainerID(of: view), errno: errno)
        case .gateMadeRoom(let view): gates.madeRoom(in: ContainerID(of: view))
        case .admissionsLost(let worker): gates.connectionLost(of: worker)
        case .log(let event, let backlog): logger.write(event, backlog)
        case .ended(let worker, let error): return .failure(WorkerFailure(worker: worker, cause: error))
        case .reached, .resolved, .counters, .measured, .gates, .questions, .flushed, .kept: break
        }
        return nil
    }
}
