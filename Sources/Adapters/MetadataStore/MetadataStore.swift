import FoundationEssentials
import HubCore

package final class MetadataStore: Sendable {
    package init(path: String, clock: @escaping @Sendable () -> Date = { Date() }) throws { throw MetadataError.closed }
    package func close() throws { throw MetadataError.closed }
}
