// From the text of intercom.toml to a configuration.

import LinuxNet
import TOML

extension Configuration {
    /// The most octets that a file may have: enough for a hundred thousand containers.
    private static let maximumSize = 16 << 20

    /// Reads a configuration file.
    /// - Throws: what keeps the file from being read, or everything that is wrong with it (``parse(text:file:groupExists:)``).
    package static func read(path: String) throws(ConfigurationError) -> Configuration {
        let text: String?
        do throws(LinuxError) {
            text = try Files.readText(path, limit: maximumSize)
        } catch {
            // The subject is the path alone unless the file is of a kind that is not read.
            let reason = error.subject == path ? "\(error.errno)" : "it is not a regular file"
            throw ConfigurationError(unreadable: path, reason)
        }
        guard let text else { throw ConfigurationError(unreadable: path, "No such file or directory") }
        return try parse(text: text, file: path) { Groups.id(of: $0) != nil }
    }

    /// Reads the text of a configuration file.
    /// - Parameters:
    ///   - text: TOML.
    ///   - file: the path that errors name.
    ///   - groupExists: true for the groups that the host has.
    /// - Throws: everything that is wrong with it, in the file's order; of syntax errors the first alone.
    package static func parse(
        text: String, file: String, groupExists: @escaping (String) -> Bool = { _ in true }
    ) throws(ConfigurationError) -> Configuration {
        let document: TOMLValue
        do throws(TOMLError) {
            document = try TOMLValue(parsing: text)
        } catch {
            throw ConfigurationError([Mistake(position: error.position, message: error.message)], in: file)
        }
        var reader = ConfigurationReader(groupExists: groupExists)
        let configuration = reader.read(document)
        guard reader.mistakes.isEmpty else { throw ConfigurationError(reader.mistakes, in: file) }
        return configuration
    }
}

extension ConfigurationError {
    /// A file that could not be read.
    fileprivate init(unreadable file: String, _ reason: String) {
        problems = [Problem(file: file, line: nil, column: nil, message: "cannot be read: \(reason)")]
    }

    /// Mistakes of one file, put in its order.
    fileprivate init(_ mistakes: [Mistake], in file: String) {
        problems = mistakes.enumerated()
            .sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map { _, mistake in
                Problem(
                    file: file, line: mistake.position.line, column: mistake.position.column, message: mistake.message)
            }
    }
}
