// Room Registry: names looked up among 10,000, and changed.

import Benchmark
import DNSWire
import Registry

/// Ten networks of 1,000 containers each, and a porter who is on all of them.
private final class Town {
    var registry: Registry
    var directory: Directory

    init() throws {
        let domain = try Name("internal")
        registry = Registry(domain: domain, ttl: 5)
        directory = Directory(domain: domain, seed: 42)
        for network in 0..<10 {
            var definition = NetworkDefinition(name: "net\(network)", source: .control)
            definition.subnets = ["10.\(network).0.0/16"].compactMap { Subnet($0) }
            try registry.createNetwork(definition)
        }
        for network in 0..<10 {
            for number in 0..<1000 { try add("c\(network)-\(number)", on: [network], number) }
        }
        try add("porter", on: Array(0..<10), 1000)
        settle()
    }

    func add(_ name: String, on networks: [Int], _ number: Int) throws {
        var definition = ContainerDefinition(name: name, source: .control)
        definition.namesItsNetworks = true
        definition.endpoints = networks.map { network in
            let address = IPAddress("10.\(network).\(number / 250).\(number % 250 + 1)")
            let aliases = number == 1 ? ["*.app.test"] : []
            return EndpointDefinition(network: "net\(network)", addresses: address.map { [$0] } ?? [], aliases: aliases)
        }
        try registry.addContainer(definition)
    }

    func settle() {
        for change in registry.takeChanges() { directory.apply(change) }
    }
}

func names() {
    let questions = [
        ("on one network", "c3-7", "c3-500"), ("on the last of ten", "porter", "c9-500"),
        ("with network and domain", "c3-7", "c3-500.net3.internal"), ("under a wildcard", "c3-7", "www.shop.app.test"),
        ("that nobody has", "c3-7", "www.example.com"),
        ("that nobody on ten networks has", "porter", "www.example.com"),
    ]
    for (title, asker, name) in questions {
        Benchmark("name \(title)") { benchmark, town in
            let view = try town.registry.container(named: asker).id.view
            let name = try FoldedName(name)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(town.directory.find(name, from: 0, view: view)?.scope) }
        } setup: {
            try Town()
        }
    }

    Benchmark("name of an address") { benchmark, town in
        let view = try town.registry.container(named: "c3-7").id.view
        let name = try FoldedName("1.2.3.10.in-addr.arpa")
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(town.directory.findReverse(name, view: view)?.scope) }
    } setup: {
        try Town()
    }

    Benchmark("container that comes and goes") { benchmark, town in
        for _ in benchmark.scaledIterations {
            try town.add("visitor", on: [3], 2000)
            town.settle()
            try town.registry.removeContainer(town.registry.container(named: "visitor").id)
            town.settle()
        }
    } setup: {
        try Town()
    }
}
