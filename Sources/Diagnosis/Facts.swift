// Facts: all that an explanation is made of. The control plane gathers them; nothing here asks anybody.

package import Attachment

/// Facts for the explanation of one question.
package struct Facts: Sendable {
    /// The question.
    package var question: Question
    /// The container that asks.
    package var asker: Asker
    /// The resolv.conf that its programs read; nil: not known.
    package var resolver: ResolverFile?
    /// Containers that have the name, on whichever network: for the operator alone.
    package var holders: [Holder] = []
    /// A container of this name that is not there; nil: nobody is called so.
    package var absence: Absence?
    /// A name that the asker sees and that is spelled nearly so.
    package var near: String?
    /// The container that was called so, and what it is called now; nil: none is known of.
    package var formerly: FormerName?
    /// The data plane's decision and answer; nil: nobody was asked.
    package var outcome: AnswerFacts?
    /// The answer for AAAA, where A was asked for as no type was given; nil: it was not asked for.
    package var other: AnswerFacts?
    /// The upstreams that the question goes to, in their order.
    package var servers: [Server] = []
    /// A record of this name that a container is answered in place of, as `A 10.9.0.1`; nil: there is none.
    package var shadowedRecord: String?
    /// A network that may forward, if there is any.
    package var openNetwork: String?
    /// The program that has port 53 of the container, or that answers in the listener's place; nil: it is not known.
    package var holder: Program?
    /// The address and port that address translation in the container leads its questions to; nil: none is seen.
    package var leadsTo: String?
    /// Seconds until the listener, or the proof that it is heard, is tried again; nil: it waits for nothing.
    package var nextTry: Int?
    /// The kept answer to the question, as it was before it was asked; nil: there was none.
    package var kept: KeptFacts?
    /// True when an address was asked for, and not a name.
    package var isAddress = false
    /// Way in which its programs look host names up, by nsswitch.conf(5); nil: not known.
    package var nameServices: NameServices?
    /// Addresses that a file in the form of hosts(5) has for the name: programs take them without asking.
    package var hosts: HostsFacts?
    /// True when the asker's policy is one that names of its own networks need a rule for, or one that nobody has declared.
    package var isPolicyStrict = false
    /// Paths of namespaces on the asker's networks whose containers have no name.
    package var unnamed: [String] = []
    /// Reason for which the gate of the container's policy is not in force; nil: it is, or the container has none.
    package var gate: GateFailure?
    /// Programs behind the answer's addresses; nil: no port was asked for.
    package var services: [Service]?
    /// The configuration file.
    package var configurationPath: String

    /// Facts about a question; what is not set is not known.
    package init(_ question: Question, asker: Asker, configurationPath: String) {
        self.question = question
        self.asker = asker
        self.configurationPath = configurationPath
    }

    /// A name and a type, and the container that asks for them.
    package struct Question: Sendable, Equatable {
        /// The name as it was typed.
        package var name: String
        /// The record type, as `A`.
        package var type: String
        /// The container, as it was typed.
        package var asker: String
        /// A port of the service, 1...65535.
        package var port: UInt16?

        /// A question of a container.
        package init(_ name: String, _ type: String, from asker: String, port: UInt16? = nil) {
            self.name = name
            self.type = type
            self.asker = asker
            self.port = port
        }

        /// The command that explains another question in the place of this one.
        func asked(_ name: String, from asker: String) -> String {
            ShellCommand.intercomctl(
                "explain", [name] + (type == "A" ? [] : [type]), "--from \(ShellCommand.word(asker))")
        }
    }

    /// The container that asks.
    package enum Asker: Sendable {
        /// It is not there; the second value is a name that is spelled nearly so.
        case absent(Absence?, near: String?)
        /// It is there, in this state.
        case present(Member, State)
    }
}

/// A container that is known by its name, and is not there.
package enum Absence: Sendable, Equatable {
    /// It ended so many seconds ago.
    case ended(why: String, seconds: Int, place: String)
    /// It is declared, and its namespace is not there.
    case waiting(why: String)
    /// Its namespace exists, and the configuration excludes it.
    case excluded(path: String)
    /// Its namespace exists, and discovery is off.
    case undiscovered(path: String)
    /// Its namespace was found, and cannot be entered; that is tried again.
    case unattached(path: String, Failure)
    /// A process of it runs, in a namespace that nobody has told of.
    case unserved(Program)
    /// Nobody is called so; containers of runtimes run of which nobody has told.
    case perhapsUnserved([Program])
    /// Nobody is called so; containers were found that have no name, at these paths.
    case perhapsUnnamed([String])
    /// It is a process in the host's own namespace.
    case onHost(Program)
}

/// A name that a container had before it was renamed.
package struct FormerName: Sendable, Equatable {
    /// Its name now.
    package var name: String
    /// Time of day of the change, as `14:05`.
    package var until: String

    /// A container that is called so now.
    package init(_ name: String, until: String) {
        self.name = name
        self.until = until
    }

    /// As `frontend was called web until 14:05`.
    func sentence(_ former: String) -> String { "\(name) was called \(former) until \(until)" }
}

/// A container with its networks and links.
package struct Member: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// The way into its namespace; nil: it has none on this machine.
    package var place: CommandPlace?
    /// Its networks, in the order in which they answer.
    package var networks: [String]
    /// Networks that an operator took it off, though its links are plugged into them.
    package var left: [String]
    /// Its links; empty where they are not observed.
    package var links: [LinkFacts]

    /// A container of this name.
    package init(
        _ name: String, at place: CommandPlace?, on networks: [String], left: [String] = [], links: [LinkFacts] = []
    ) {
        self.name = name
        self.place = place
        self.networks = networks
        self.left = left
        self.links = links
    }
}

/// A link of a container that could put it on a network.
package struct LinkFacts: Sendable, Equatable {
    /// A thing that keeps a link from that, or keeps packets from passing.
    package enum Trouble: Sendable, Equatable {
        /// The link itself is down.
        case down
        /// The host's end, by its name, is down.
        case peerDown(String)
        /// The host's end, by its name, is in no bridge.
        case notPlugged(String)
        /// The bridge, by its name, is no network: the configuration does not take it for one.
        case excluded(String)
        /// The bridge, by its name, is down.
        case networkDown(String)
    }

    /// Its name inside the container.
    package var name: String
    /// The host's bridge or parent that it hangs on; nil: none.
    package var interface: String?
    /// The network of that interface; nil: it is none.
    package var network: String?
    /// True when it has an address that others may use.
    package var hasAddress: Bool
    /// The first thing that is wrong on the way to the network.
    package var trouble: Trouble?
    /// Its addresses with their lengths of prefix, as `10.1.0.2/24`.
    package var addresses: [String] = []

    /// A link of this name.
    package init(
        _ name: String, into interface: String?, network: String? = nil, hasAddress: Bool = true,
        trouble: Trouble? = nil
    ) {
        self.name = name
        self.interface = interface
        self.network = network
        self.hasAddress = hasAddress
        self.trouble = trouble
    }
}

/// A container that has the name in question on one network, or that is called so and is on none.
package struct Holder: Sendable, Equatable {
    /// The container.
    package var member: Member
    /// The network; nil: it is on none.
    package var network: String?
    /// True when the asker is on that network.
    package var isVisible: Bool
    /// True when others may have the name, too.
    package var isAlias: Bool
    /// True when it is left out of names that others serve, too.
    package var isDraining: Bool
    /// True where the name is that of a service of its, as `_http._tcp.web`: it has no address of its own.
    package var isService: Bool
    /// Its addresses there.
    package var addresses: [String]
    /// The first of these that others on the network have, too.
    package var shared: SharedAddress?

    /// An address that several containers on a network have.
    package struct SharedAddress: Sendable, Equatable {
        /// The address.
        package var address: String
        /// The others.
        package var others: [Member]

        /// An address, and others that have it.
        package init(_ address: String, others: [Member]) {
            self.address = address
            self.others = others
        }
    }

    /// A container that has the name on a network.
    package init(
        _ member: Member, on network: String?, isVisible: Bool, isAlias: Bool = false, isDraining: Bool = false,
        isService: Bool = false, addresses: [String] = []
    ) {
        self.member = member
        self.network = network
        self.isVisible = isVisible
        self.isAlias = isAlias
        self.isDraining = isDraining
        self.isService = isService
        self.addresses = addresses
    }
}
