// org.varlink.service: what every Varlink service says about itself.

/// Answers the calls of introspection, and those of interfaces that are not there.
package struct VarlinkService: Sendable {
    /// The interface's name.
    package static let name = "org.varlink.service"

    private struct Info: Encodable {
        var vendor, product, version, url: String
        var interfaces: [String]
    }

    private struct Description: Codable {
        var description: String
    }

    private struct Interface: Codable {
        var interface: String
    }

    private struct Nothing: Encodable {}

    private struct Method: Encodable {
        var method: String
    }

    private let info: Info
    private let descriptions: [String: String]

    /// - Parameters:
    ///   - vendor: who made the service.
    ///   - product: what it is called.
    ///   - version: its version.
    ///   - url: where more is said of it.
    ///   - interfaces: those of the service beside this one, with their descriptions in Varlink's language.
    package init(
        vendor: String, product: String, version: String, url: String,
        interfaces: [(name: String, description: String)]
    ) {
        info = Info(
            vendor: vendor, product: product, version: version, url: url,
            interfaces: [Self.name] + interfaces.map(\.name))
        var descriptions = [Self.name: Self.description]
        for interface in interfaces { descriptions[interface.name] = interface.description }
        self.descriptions = descriptions
    }

    /// The reply to a call; nil where it is one for an interface that the service has beside this one.
    package func answer(_ call: VarlinkCall) -> [UInt8]? {
        switch call.method {
        case "\(Self.name).GetInfo": return VarlinkReply.encode(info)
        case "\(Self.name).GetInterfaceDescription": return describe(call)
        case _ where call.interface == Self.name: return Self.methodNotFound(call.method)
        case _ where descriptions[call.interface] == nil: return Self.interfaceNotFound(call.interface)
        default: return nil
        }
    }

    private func describe(_ call: VarlinkCall) -> [UInt8] {
        do throws(InvalidParameter) {
            let wanted = try call.parameters(Interface.self).interface
            guard let description = descriptions[wanted] else { return Self.interfaceNotFound(wanted) }
            return VarlinkReply.encode(Description(description: description))
        } catch {
            return Self.invalidParameter(error)
        }
    }

    // MARK: - Errors that every service has

    /// The answer to a call of a method that is not there, by its full name.
    package static func methodNotFound(_ method: String) -> [UInt8] {
        VarlinkReply.encode(error: "\(name).MethodNotFound", Method(method: method))
    }

    /// The answer to a call with a parameter that is missing or wrong.
    package static func invalidParameter(_ error: InvalidParameter) -> [UInt8] {
        VarlinkReply.encode(error: "\(name).InvalidParameter", error)
    }

    /// The answer to a call without `more` of a method that gives many replies.
    package static func expectedMore() -> [UInt8] {
        VarlinkReply.encode(error: "\(name).ExpectedMore", Nothing())
    }

    private static func interfaceNotFound(_ interface: String) -> [UInt8] {
        VarlinkReply.encode(error: "\(name).InterfaceNotFound", Interface(interface: interface))
    }

    private static let description = """
        # What every Varlink service says about itself.
        interface org.varlink.service

        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        method GetInterfaceDescription(interface: string) -> (description: string)

        error InterfaceNotFound (interface: string)
        error MethodNotFound (method: string)
        error MethodNotImplemented (method: string)
        error InvalidParameter (parameter: string)
        error ExpectedMore ()

        """
}
