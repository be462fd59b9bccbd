// Result of CNI plugins (spec 0.3.0 to 1.1.0): links and addresses of a container on one network.

import DNSWire

/// The parts of a result that names are made of. Parts that are missing or of another form are passed over.
struct CNIResult {
    /// Addresses in the container: those of links whose sandbox is one, or of no link that is named.
    let addresses: [IPAddress]
    /// Names of links that are in no sandbox, which are the host's: a bridge comes before its port.
    let hostInterfaces: [String]
    /// Path of the container's network namespace.
    let sandbox: String?

    init(_ result: JSONValue) {
        let interfaces = result["interfaces"]?.elements ?? []
        let sandboxes = interfaces.map { $0["sandbox"]?.text ?? "" }
        hostInterfaces = zip(interfaces, sandboxes).filter { $1.isEmpty }.compactMap { $0.0["name"]?.text }
        sandbox = sandboxes.first { !$0.isEmpty }
        addresses = (result["ips"]?.elements ?? []).compactMap { entry in
            if case .integer(let number)? = entry["interface"], let index = Int(exactly: number),
                sandboxes.indices.contains(index), sandboxes[index].isEmpty
            {
                return nil
            }
            return entry["address"]?.text.flatMap { IPAddress(String($0.prefix { $0 != "/" })) }
        }
    }
}
