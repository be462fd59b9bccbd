// The version of the product, as `--version`, `status` and introspection say it.

/// What intercomd and intercomctl call themselves.
package enum Release {
    /// Semantic version of intercomd and of its control interface.
    package static let number = "0.2.0"
    /// As `--version` prints it.
    package static let text = "intercom \(number)"
}
