// The version of the product, as `--version`, `status` and introspection say it.

/// Version of intercomd and intercomctl.
package enum Release {
    /// Semantic version of intercomd and of its control interface.
    package static let number = "0.2.0"
    /// Line that `--version` prints.
    package static let text = "intercom \(number)"
}
