// A DNS server of the tests' own, that answers each name in the way that the name says.

import Foundation

extension House {
    /// Starts an upstream at an address, IPv6 with its scope, and waits until it answers.
    ///
    /// Every query is a line in the house's file `upstream-NAME`: transport, name, type. TXT records say `from NAME`.
    /// - Parameters:
    ///   - mode: `normal`, or `silent`, `servfail`, `refused` for every name.
    ///   - namespace: where it runs; by default that of the host.
    ///   - name: what it is called; by default its address.
    @discardableResult
    func startUpstream(
        _ address: String, mode: String = "normal", in namespace: String = "house", as name: String? = nil
    ) throws -> Process {
        let name = name ?? address
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("upstream.py")
        let process = try start(
            in: namespace, ["env"] + Self.pythonPath + ["python3", "-u", script.path, address, mode, name],
            log: "upstream-\(name)")
        guard eventually({ queries(of: name).first == "ready" }) else {
            throw CommandFailure(
                command: "upstream \(name)",
                output: Output(status: 1, out: queries(of: name).joined(separator: "\n"), err: ""))
        }
        return process
    }

    /// Queries that an upstream got, a line each.
    func queries(of name: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/upstream-\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
