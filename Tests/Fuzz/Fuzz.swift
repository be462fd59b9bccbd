// Entry point of libFuzzer: one program with all targets, of which INTERCOM_FUZZ_TARGET chooses one.

import Foundation

/// A reader of octets from outside, or all that they set in motion. It checks what must hold, and stops the program where
/// it does not.
typealias FuzzTarget = @Sendable (Span<UInt8>) -> Void

let fuzzTargets: [String: FuzzTarget] = [
    "aardvark": fuzzAardvark,
    "admissions": fuzzAdmissions,
    "cni": fuzzCNI,
    "configuration": fuzzConfiguration,
    "docker": fuzzDocker,
    "etcd": fuzzEtcd,
    "house": fuzzHouse,
    "http": fuzzHTTP,
    "life": fuzzLife,
    "names": fuzzNames,
    "nerdctl": fuzzNerdctl,
    "netlink": fuzzNetlink,
    "query": fuzzQuery,
    "reply": fuzzReply,
    "resolv-conf": fuzzResolverConfiguration,
    "state": fuzzState,
    "varlink": fuzzVarlink,
]

private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["INTERCOM_FUZZ_TARGET"] ?? ""
    guard let target = fuzzTargets[name] else {
        fatalError("no target is called '\(name)'; there are \(fuzzTargets.keys.sorted().joined(separator: ", "))")
    }
    return target
}()

/// One execution: the octets are in memory of just their length, so that the sanitizer sees who reads past them.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    unsafe target(Span(_unsafeStart: start, count: count))
    return 0
}

/// Stops the program, and so makes a finding of this input, where something does not hold.
func expect(_ condition: Bool, _ message: @autoclosure () -> String, line: Int = #line) {
    if !condition { fatalError("\(message()) (line \(line))") }
}

/// The check of models that are shared with unit tests.
func holds(_ condition: Bool, _ message: @autoclosure () -> String = "an effect makes no sense", line: Int = #line) {
    expect(condition, message(), line: line)
}

extension Array<UInt8> {
    init(_ octets: Span<UInt8>) {
        self = []
        reserveCapacity(octets.count)
        for index in octets.indices { append(octets[index]) }
    }
}
