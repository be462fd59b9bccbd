// Everything that can happen to containers, and everything that has to be done about it.

/// Something that happened. Results of errands carry their number.
package enum Event: Sendable, Equatable {
    /// A file was seen where namespaces are looked for; the key is the file's, of whatever kind it is.
    case pathAppeared(String, NamespaceKey)
    /// The file is gone.
    case pathGone(String)
    /// The process by which a container came has exited.
    case processExited(NamespaceKey)
    /// A container's path leads to its namespace no more.
    case sourceGone(NamespaceKey, String)
    /// An errand of ``Effect/open(_:_:_:)`` has ended.
    case opened(ErrandNumber, Result<Opened, Failure>)
    /// An errand of ``Effect/setRules(_:_:)`` has ended; nil: the rules are in force.
    case rulesSet(ErrandNumber, Failure?)
    /// The registry refused a declared container after ``Effect/enroll(_:_:_:)``.
    case enrollmentRefused(DeclarationNumber, Failure)
    /// Links or addresses in a container's namespace have changed: a port may be free now.
    case kernelChanged(NamespaceKey)
    /// Addresses in a container's namespace have changed, and nothing of its `lo`: 127.0.0.11 is reached as before.
    case addressesChanged(NamespaceKey)
    /// The worker has closed the listener after ``Effect/closeListener(_:)``: its port is free.
    case listenerClosed(NamespaceKey)
    /// The listener's sockets are dead, though nobody asked for that.
    case listenerLost(NamespaceKey, Failure)
    /// The servers that a container asks are likely to be others in a moment: rules for them are set again a few times.
    case resolversMayChange(NamespaceKey)
    /// The servers that a container asks are others: rules for them are set.
    case resolversChanged(NamespaceKey)
    /// Rules that led questions to the listener are gone, and cannot be set again.
    case rulesLost(NamespaceKey, Failure)
    /// The policy of a container forbids DNS of other servers from now on, or does not any more.
    case lockChanged(NamespaceKey, Bool)
    /// The questions of ``Effect/prove(_:_:)`` are on their way: changes from now on cast doubt on what comes of them.
    case proofSent(ErrandNumber)
    /// An errand of ``Effect/prove(_:_:)`` has ended.
    case proved(ErrandNumber, Hearing)
    /// Time has passed.
    case tick
}

/// Something to be done, in the order given. Effects of one event are complete before the next event is handled.
package enum Effect: Sendable, Equatable {
    /// Have the opener enter a namespace and make what it lacks; nil: a netlink socket alone.
    case open(ErrandNumber, NamespaceSource, PortChoice?)
    /// Let go of what is left of an errand's descriptors. Each errand of `open` is released exactly once.
    case release(ErrandNumber)
    /// Make the container known: as declared, or as found at a path.
    case enroll(NamespaceKey, ErrandNumber, Identity)
    /// Give a found container the name of another path.
    case rename(NamespaceKey, path: String)
    /// Take back what was made known.
    case strike(NamespaceKey, Identity)
    /// Notice when the source goes: by the process of the errand, by its paths. Replaces an earlier watch.
    case watch(NamespaceKey, NamespaceSource, ErrandNumber?)
    /// Notice its end no more.
    case unwatch(NamespaceKey)
    /// Observe links and addresses by the netlink socket of the errand.
    case subscribe(NamespaceKey, ErrandNumber)
    /// Observe them no more.
    case unsubscribe(NamespaceKey)
    /// Have the service manager keep the listener of the errand over a restart.
    case store(NamespaceKey, ErrandNumber)
    /// Have the service manager let go of the listener, so that the namespace can end.
    case forget(NamespaceKey)
    /// Give the listener of the errand to a worker, in the place of another.
    case handOver(NamespaceKey, ErrandNumber)
    /// Close the listener; ``Event/listenerClosed(_:)`` answers.
    case closeListener(NamespaceKey)
    /// Lead port 53 to the listener that was handed over last, and refuse that of others, as the container's wanted rules say;
    /// ``Event/rulesSet(_:_:)`` answers.
    case setRules(ErrandNumber, NamespaceKey)
    /// Remove the rules that were set last.
    case removeRules(NamespaceKey)
    /// Ask the container's resolver addresses from inside its namespace, and see whether its listener is asked;
    /// ``Event/proved(_:_:)`` answers.
    case prove(ErrandNumber, NamespaceKey)
    /// Let go of what an errand of `prove` holds: nobody wants to know any more.
    case stopProof(ErrandNumber)
    /// Tell monitors of a container's state, which is another.
    case tellState(NamespaceKey)
    /// Write, or see to, the resolv.conf files of a container.
    case writeResolverFiles(NamespaceKey)
    /// Remove those that are ours.
    case removeResolverFiles(NamespaceKey)
    /// Tell who declared a container what came of it. A standing declaration may be told several times.
    case settle(DeclarationNumber, Settlement)
    /// Say it to the operator.
    case log(Note)
}

/// Ground on which a container is known.
package enum Identity: Sendable, Hashable {
    /// A declaration.
    case declared(DeclarationNumber)
    /// A path where namespaces are looked for.
    case found(path: String)
}

/// Result of a declaration.
package enum Settlement: Sendable, Equatable {
    /// It is served, under this namespace.
    case attached(NamespaceKey)
    /// It is not attached; a standing one is tried again.
    case failed(Failure)
    /// Another declared container has the namespace.
    case inUse(by: String)
    /// The container has ended. A standing one is waited for.
    case ended(String)
}

/// Something that an operator wants to read.
package enum Note: Sendable, Equatable {
    /// A container was found at a path.
    case found(NamespaceKey, path: String)
    /// A container has ended.
    case ended(NamespaceKey, name: String, why: String)
    /// A container has no listener; said once for each reason.
    case noListener(NamespaceKey, Failure)
    /// Questions to a container's resolver addresses are not led to its listener; said once for each reason.
    case notIntercepted(NamespaceKey, Failure)
    /// A container that had no listener has one now.
    case listens(NamespaceKey)
    /// Questions of a container's programs do not reach its listener, or that cannot be tried; said once for each reason.
    case unheard(NamespaceKey, Hearing)
    /// They did not, and do now.
    case heard(NamespaceKey)
    /// A path that could not be attached.
    case notAttached(path: String, Failure)
    /// A path of a container that is called by another.
    case secondPath(String, of: String)
    /// Links are not observed.
    case linksUnknown(NamespaceKey, Failure)
}
