// Messages of container runtimes: HTTP responses, Docker's JSON, calls of the CNI plugin, aardvark-dns's files.

import RuntimeWire

/// A connection to Docker, cut in pieces as the first octet says: the same is read in whatever pieces it comes.
func fuzzHTTP(_ octets: Span<UInt8>) {
    guard octets.count > 0 else { return }
    let stream = Array(octets.extracting(droppingFirst: 1))
    let whole = readHTTP(stream, pieces: max(1, stream.count))
    let pieces = readHTTP(stream, pieces: max(1, Int(octets[0])))
    expect(whole == pieces, "\(whole) in one piece, \(pieces) in many")
}

/// Heads, the octets of all bodies, and the error that ended it.
private func readHTTP(_ stream: [UInt8], pieces: Int) -> [String] {
    var limits = HTTPLimits()
    limits.head = 512
    limits.body = 2048
    var reader = HTTPResponseReader(limits: limits)
    var read: [String] = []
    var body: [UInt8] = []
    var lines = JSONLines()
    do throws(RuntimeWireError) {
        for start in Swift.stride(from: 0, to: stream.count, by: pieces) {
            reader.receive(stream[start..<min(start + pieces, stream.count)])
            while let part = try reader.next() {
                switch part {
                case .head(let head): read.append("\(head.status) \(head.keepsConnection)")
                case .body(let octets):
                    expect(!octets.isEmpty, "a part of a body is empty")
                    body += octets
                    _ = try lines.receive(octets)
                case .end:
                    read.append("\(body)")
                    body.removeAll()
                }
            }
        }
        _ = try reader.close()
    } catch {
        // The length of a body before an error depends on the pieces.
        read.append("\(error)")
    }
    return read
}

/// Docker's JSON, each kind of it.
func fuzzDocker(_ octets: Span<UInt8>) {
    let text = Array(octets)
    if let docker = try? DockerContainer(text) {
        let container = RuntimeContainer(docker)
        expect(!container.ports.contains { $0.number == 0 }, "a port is 0")
        _ = (container.isWanted, container.labelledAliases, container.labelledPorts)
    }
    for network in (try? DockerNetwork.list(text)) ?? [] { _ = RuntimeNetwork(network) }
    for summary in (try? DockerContainerSummary.list(text)) ?? [] {
        let target = DockerRequests.container(summary.id).octets
        expect(target.count { $0 == 0x0A } == 5, "an id has ended a request's line")
    }
    _ = try? DockerEvent(text)
    if let state = try? OCIState(text) {
        let container = state.container(configuration: try? OCIConfiguration(text), record: nil)
        expect(container?.name != "" && container?.pid.map { $0 > 0 } ?? true, "a container has no name or no process")
        _ = (state.recordDirectory, try? PodmanRecords.name(of: state.id, in: text))
    }
    _ = (try? PodmanNetwork(text))?.subnets
}

/// A configuration of the CNI plugin, for each command.
func fuzzCNI(_ octets: Span<UInt8>) {
    for command in CNICall.Command.allCases {
        let environment = [
            "CNI_COMMAND": command.rawValue, "CNI_CONTAINERID": "web", "CNI_NETNS": "/run/netns/web",
            "CNI_ARGS": "a=b;c",
        ]
        do throws(CNIFailure) {
            let call = try CNICall(environment: environment, configuration: Array(octets))
            expect(command != .add || call.answer.last == 0x0A, "ADD has no answer")
            var record = CNIRecord(call)
            expect((try? CNIRecord(Array(record.text.utf8))) == record, "a record is another when it was kept")
            expect(!record.published.id.isEmpty, "a container has no id")
            record.keep(Set(call.validAttachments ?? []), on: call.network)
            record.remove(interface: call.interface)
            expect(record.isEmpty, "a link is left")
        } catch {
            expect(error.answer.last == 0x0A, "a failure has no answer")
        }
    }
}

/// A file of aardvark-dns.
func fuzzAardvark(_ octets: Span<UInt8>) {
    guard let network = try? AardvarkNetwork(file: "front%int", Array(octets)) else { return }
    expect(network.name == "front" && network.isInternal, "the network is \(network.name)")
    expect(network.members.allSatisfy { !$0.names.isEmpty && !$0.id.isEmpty }, "a member has no name")
    let directory = AardvarkDirectory([network], definitions: [])
    expect(directory.containers.allSatisfy { !$0.name.isEmpty && !$0.endpoints.isEmpty }, "a container has no name")
    expect(!directory.publication.lacks(of: directory.publication), "a directory lacks its own")
}

/// A record of nerdctl's hosts store.
func fuzzNerdctl(_ octets: Span<UInt8>) {
    guard let record = try? NerdctlRecord(Array(octets)) else { return }
    let container = record.container
    expect(!container.name.isEmpty && container.id.utf8.count == 64, "a container has no name or no id")
    expect(container.pid.map { $0 > 0 } ?? true, "a process is \(container.pid ?? 0)")
    expect(container.endpoints.map(\.network) == record.networks.map(\.name), "an endpoint's network is not published")
    let publication = Publication([record, record])
    expect(publication.containers == [container] && publication.networks == record.networks, "a record counts twice")
}
