// The configuration in force: which part takes which of it, at the start and on reload.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// Declares everything that the configuration names.
    func applyConfiguration() {
        publisher.registry.setRoutes(configuration.routes)
        configured.change(from: Configuration(), to: configuration)
        configured.hosts.configure(configuration.hosts)
        upstreams.noteChange()
        questions.configure(configuration.log)
    }

    /// Reads the configuration again and applies what is different. Declarations of the control socket stay.
    /// - Parameter done: is given a sentence for everything in the file that is not in force, when what it declares has been
    ///   tried once.
    /// - Throws: `InvalidConfiguration` with every error; the running configuration stays as it is then.
    func reload(done: @escaping ([String]) -> Void) throws(ControlError) {
        service.reloading()
        // Also where the reload is refused: the configuration before is in force then.
        publisher.whenInForce { [unowned self] in service.ready(statusLine) }
        let old = configuration
        do throws(ConfigurationError) {
            try configured.file.read()
        } catch {
            throw .invalidConfiguration(errors: error.problems.map(\.description))
        }
        publisher.registry.setDefaults(domain: configuration.server.domain, ttl: configuration.server.ttl)
        publisher.registry.setRoutes(configuration.routes)
        cluster.configure(configuration, by: loop)
        resolveHook.configure(domain: configuration.server.domain)
        upstreams.configure(configuration.forward)
        gates.forwardsFrom = configuration.forward.from
        upstreams.followHost()
        containers.resolverFiles.configure(configuration)
        containers.room.defaultPort = PortChoice(configuration.server.listen)
        workers.post(.settings(ServerSettings(configuration, workers: workers.count)))
        questions.configure(configuration.log)
        if configuration.discover != old.discover { discover(configuration.discover) }
        configured.change(from: old, to: configuration)
        configured.hosts.configure(configuration.hosts)
        containers.room.hastenAll(now: .now)
        logger.info("configuration reloaded")
        let notInForce = configured.file.notInForce
        for sentence in notInForce { logger.warning("\(sentence)") }
        start.whenSettled(now: .now) { [unowned self] in done(notInForce + configured.warnings) }
    }

    /// Discovers what the configuration says now.
    private func discover(_ new: Configuration.Discover) {
        discovery.configure(new)
        namespaces.configure(new)
        guard !new.isEnabled else { return }
        containers.observe(false)
        discovery.stop()
    }

    /// Sentences about what somebody should look at: what is declared or found and not as it should be.
    var warnings: [String] {
        configured.warnings + containers.warnings + discovery.warnings + namespaces.warnings
            + sources.warnings + gateways.warnings + cluster.warnings + publisher.registry.warnings
    }
}
