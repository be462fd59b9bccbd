// Options of the daemon's command line.

/// The daemon's command line.
package struct DaemonOptions: Sendable {
    /// The configuration file, which has been read once.
    package var configurationFile: ConfigurationFile
    /// The control socket; nil: as configured.
    package var socket: String?
    /// Directory that persists declarations made over the control socket.
    package var stateDirectory: String
    /// The socket of the opener; nil: this process enters namespaces itself.
    package var openerSocket: String?

    package init(
        configurationFile: ConfigurationFile, socket: String?, stateDirectory: String, openerSocket: String? = nil
    ) {
        self.configurationFile = configurationFile
        self.socket = socket
        self.stateDirectory = stateDirectory
        self.openerSocket = openerSocket
    }
}
