// Reads a document key by key into a configuration, collecting every mistake.

import DNSWire
import Registry
import TOML

struct ConfigurationReader {
    /// All that was found wrong so far, in no order.
    var mistakes: [Mistake] = []
    /// True for the groups that the host has.
    var groupExists: (String) -> Bool = { _ in true }

    /// Reads the root table of a document.
    mutating func read(_ document: TOMLValue) -> Configuration {
        var configuration = Configuration()
        guard case .table(let members) = document.content else { return configuration }
        var root = TableReader(members, title: nil, position: document.position)
        configuration.policies = readPolicies(root.read("policy", .tables("[[policy]]")) ?? [])
        let policy = ValueKind.policy(among: configuration.policies.map(\.name))
        let groupExists = groupExists

        readSection(&root, "server") { table in
            table.read("workers", .integer(in: 0...64), into: &configuration.server.workers)
            table.read("domain", .ownDomain, into: &configuration.server.domain)
            table.read("ttl", .seconds, into: &configuration.server.ttl)
            table.read("host-names", .list(of: .nameOfHost), into: &configuration.server.hostNames)
            table.read("listen", .word, into: &configuration.server.listen)
            table.read("version", .characterString, into: &configuration.server.version)
            table.read("identity", .characterString, into: &configuration.server.identity)
            table.read(
                "resolv-conf-directories", .list(of: .absolutePath), into: &configuration.server.resolverDirectories)
            configuration.server.policy = table.read("policy", policy)
            configuration.hosts = (table.read("hosts", .list(of: .absolutePath)) ?? []).map { HostsPlace(path: $0) }
        }
        readSection(&root, "control") { table in
            table.read("socket", .socketPath, into: &configuration.control.socket)
            table.read("group", .group(exists: groupExists), into: &configuration.control.group)
        }
        readSection(&root, "discover") { table in
            table.read("enabled", .boolean, into: &configuration.discover.isEnabled)
            table.read("interfaces", .list(of: .nonEmptyString), into: &configuration.discover.interfaces)
            table.read("namespaces", .list(of: .absolutePath), into: &configuration.discover.namespaces)
            table.read("unnamed", .list(of: .absolutePath), into: &configuration.discover.unnamed)
            table.read("exclude", .list(of: .nonEmptyString), into: &configuration.discover.exclude)
            table.read("receive-buffer", .buffer, into: &configuration.discover.receiveBuffer)
            table.read("resolv-conf", .boolean, into: &configuration.discover.writesResolverConfiguration)
        }
        readSection(&root, "forward") { table in
            table.read("upstreams", .list(of: .upstream), into: &configuration.forward.upstreams)
            table.read("from", .word, into: &configuration.forward.from)
            table.read("single-labels", .boolean, into: &configuration.forward.forwardsSingleLabels)
            table.read("local", .boolean, into: &configuration.forward.forwardsLocal)
            table.read("case-randomization", .boolean, into: &configuration.forward.randomizesCase)
        }
        readSection(&root, "cache") { table in
            configuration.cache = Self.readCache(&table)
        }
        readSection(&root, "cluster") { table in
            table.read("networks", .list(of: .nonEmptyString), into: &configuration.cluster.networks)
            table.read("socket", .socketPath, into: &configuration.cluster.socket)
            table.read("group", .group(exists: groupExists), into: &configuration.cluster.group)
            table.read("unsynced", .word, into: &configuration.cluster.unsynced)
            table.read("export", .boolean, into: &configuration.cluster.exports)
            let year = 31_536_000
            table.read("forget-after", .integer(in: 0...year), into: &configuration.cluster.forgetAfter)
            table.read("max-entries", .integer(in: 1...1_000_000), into: &configuration.cluster.maximumEntries)
        }
        readSection(&root, "metrics") { table in
            table.read("per-container", .boolean, into: &configuration.metrics.perContainer)
        }
        readSection(&root, "log") { table in
            table.read("queries", .word, into: &configuration.log.queries)
            table.read("dnstap", .socketPath, into: &configuration.log.dnstap)
        }
        let domain = configuration.server.domain
        configuration.routes = readRoutes(root.read("route", .tables("[[route]]")) ?? [], beside: domain)
        configuration.forward.upstreams = configuration.routes.takeRoot() ?? configuration.forward.upstreams
        let networks = readNetworks(root.read("network", .tables("[[network]]")) ?? [], beside: domain, policy)
        configuration.networks = networks.inOrder
        configuration.log.networks = networks.queryLogs
        configuration.hosts += networks.hosts
        configuration.containers = readContainers(
            root.read("container", .tables("[[container]]")) ?? [], on: networks, policy)
        configuration.records = readRecords(root.read("record", .tables("[[record]]")) ?? [])

        mistakes += root.finish()
        return configuration
    }

    /// Reads a table of the root, if it is there.
    private mutating func readSection(_ root: inout TableReader, _ key: String, _ read: (inout TableReader) -> Void) {
        guard var table = root.read(key, .table("[\(key)]")) else { return }
        read(&table)
        mistakes += table.finish()
    }

    private static func readCache(_ table: inout TableReader) -> Configuration.Cache {
        var cache = Configuration.Cache()
        table.read("size", .memory, into: &cache.size)
        table.read("min-ttl", .seconds, into: &cache.minimumTTL)
        table.read("max-ttl", .seconds, into: &cache.maximumTTL)
        table.read("max-negative-ttl", .seconds, into: &cache.maximumNegativeTTL)
        table.read("serve-stale", .boolean, into: &cache.servesStale)
        table.read("prefetch", .boolean, into: &cache.prefetches)
        if cache.minimumTTL > cache.maximumTTL {
            let place = table.place(of: table.has("min-ttl") ? "min-ttl" : "max-ttl")
            table.refuse(at: place, "min-ttl: \(cache.minimumTTL) is above max-ttl, which is \(cache.maximumTTL)")
        }
        return cache
    }
}

/// Places at which some things were named first, to refuse the second.
struct FirstPlaces<Thing: Hashable> {
    private var places: [Thing: TextPosition] = [:]

    /// Notes a thing's place; a mistake if it has one already.
    mutating func claim(_ thing: Thing, at position: TextPosition, in table: inout TableReader, _ what: String) {
        if let first = places[thing] {
            table.refuse(at: position, "\(what) is already on line \(first.line)")
        } else {
            places[thing] = position
        }
    }
}
