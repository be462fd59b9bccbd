// The part of the configuration that workers answer by.

import Forwarding

extension ServerSettings {
    /// - Parameter workers: threads that share the cache.
    init(_ configuration: Configuration, workers: Int) {
        self.init(
            domain: configuration.server.domain, hostNames: configuration.server.hostNames,
            ttl: configuration.server.ttl,
            forwardsSingleLabels: configuration.forward.forwardsSingleLabels,
            forwardsLocal: configuration.forward.forwardsLocal, version: configuration.server.version,
            identity: configuration.server.identity, randomizesCase: configuration.forward.randomizesCase,
            cache: CachePolicy(configuration.cache, for: workers))
    }
}
