// The configuration in force: applied at the start, and as a difference on reload.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry

extension ControlPlane {
    /// Declares everything that the configuration names; what cannot be had yet is said and waited for.
    func applyConfiguration() {
        registry.setRoutes(configuration.routes)
        for network in configuration.networks { declareOrWarn(network) }
        for container in configuration.containers { declareOrWarn(container) }
        upstreamsChanged = true
    }

    /// Reads the configuration again and applies what is different. Declarations of the control socket stay.
    /// - Throws: `InvalidConfiguration` with every error; the running configuration stays as it is then.
    func reload() throws(ControlError) {
        serviceReloads()
        defer { publish(then: serviceHasReloaded) }
        let old = configuration
        if let path = options.configurationPath {
            do throws(ConfigurationError) {
                configuration = try Configuration.read(path: path)
            } catch {
                throw .invalidConfiguration(errors: error.problems.map(\.description))
            }
        }
        hostResolver.read()
        forgetLoops()
        upstreamsChanged = true
        warnOfFixedSettings(since: old)
        registry.setDefaults(domain: configuration.server.domain, ttl: configuration.server.ttl)
        registry.setRoutes(configuration.routes)
        for worker in workers { worker.inbox.post(.settings(settings)) }
        if configuration.discover != old.discover { restartDiscovery(since: old.discover) }

        for container in old.containers where !configuration.containers.contains(container) {
            awaited[container.name] = nil
            shortfalls[Self.subject(container)] = nil
            if let present = registry.declaredContainer(named: container.name),
                present.declared?.source == .configuration
            {
                remove(present.id)
            }
        }
        for network in old.networks where !configuration.networks.contains(where: { $0.name == network.name }) {
            withdraw(network)
        }
        for network in configuration.networks where !old.networks.contains(network) { declareOrWarn(network) }
        for container in configuration.containers
        where registry.declaredContainer(named: container.name) == nil && awaited[container.name] == nil {
            declareOrWarn(container)
        }
        logger.info("configuration reloaded")
    }

    /// Some settings are taken at the start alone.
    private func warnOfFixedSettings(since old: Configuration) {
        let new = configuration
        if new.server.workers != old.server.workers { logger.warning("[server] workers: takes effect at a restart") }
        if new.control != old.control { logger.warning("[control]: takes effect at a restart") }
        if new.server.listen != old.server.listen {
            logger.warning(
                "[server] listen: takes effect for containers that are added from now on, and for the others at a restart"
            )
        }
    }

    private func withdraw(_ network: NetworkDefinition) {
        shortfalls[Self.subject(network)] = nil
        guard registry.declaredNetwork(named: network.name)?.source == .configuration else { return }
        do throws(RegistryError) {
            try registry.removeNetwork(named: network.name)
        } catch {
            logger.warning("network \(network.name) stays as it was: \(error)")
        }
    }

    /// Makes a network of the configuration exist as it is declared there.
    private func declareOrWarn(_ network: NetworkDefinition) {
        do throws(RegistryError) {
            switch registry.declaredNetwork(named: network.name)?.source {
            case nil: try registry.createNetwork(network)
            case .configuration?: try registry.updateNetwork(network)
            case .control?: throw .networkExists(network.name)
            }
            shortfalls[Self.subject(network)] = nil
        } catch {
            shortfalls[Self.subject(network)] = error.description
            logger.error("\(Self.subject(network)): \(error)", metadata: .about(network: network.name))
        }
    }

    private func declareOrWarn(_ container: Configuration.Container) {
        do throws(ControlError) {
            try declare(container)
        } catch {
            logger.warning(
                "\(Self.subject(container)): \(error.message)",
                metadata: .about(container: container.name, .notAttached))
            awaitNamespace(of: container)
        }
    }

    /// Adds a container of the configuration.
    func declare(_ container: Configuration.Container) throws(ControlError) {
        do throws(ControlError) {
            try add(
                container.definition, namespace: container.namespace,
                resolverFile: container.resolverConfigurationPath)
            shortfalls[Self.subject(container)] = nil
        } catch {
            shortfalls[Self.subject(container)] = error.message
            throw error
        }
    }

    private static func subject(_ network: NetworkDefinition) -> String {
        "network \(network.name) of the configuration"
    }

    private static func subject(_ container: Configuration.Container) -> String {
        "container \(container.name) of the configuration"
    }

    /// What somebody should look at: what is declared or found and not as it should be.
    var warnings: [String] {
        shortfalls.map { "\($0.key): \($0.value)" }.sorted() + discoveryWarnings + registry.warnings
    }
}
