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
    /// - Returns: a sentence for everything in the file that is not in force now.
    /// - Throws: `InvalidConfiguration` with every error; the running configuration stays as it is then.
    func reload() throws(ControlError) -> [String] {
        serviceReloads()
        defer { publish(then: serviceHasReloaded) }
        let old = configuration
        do throws(ConfigurationError) {
            configuration = try configurationFile.read()
        } catch {
            throw .invalidConfiguration(errors: error.problems.map(\.description))
        }
        hostResolver.read()
        forgetLoops()
        upstreamsChanged = true
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
        let notInForce = configurationFile.notInForce(in: configuration)
        for sentence in notInForce { logger.warning("\(sentence)") }
        return notInForce + configurationShortfalls
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

    /// Sentences about what the configuration declares and is not there, in order.
    private var configurationShortfalls: [String] { shortfalls.map { "\($0.key): \($0.value)" }.sorted() }

    /// What somebody should look at: what is declared or found and not as it should be.
    var warnings: [String] {
        configurationShortfalls + discoveryWarnings + registry.warnings
    }
}
