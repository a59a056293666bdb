/// The architecture: which target belongs to which layer, and whom it may import.
///
///     App          csghub → HubCommands → HubServer
///     Interfaces   Portal  HubAPI  GitProtocols → WebCore
///     Services     what the hub does; of one another they know only Repositories and Identity
///     Adapters     one outside thing each, unknown to one another
///     Core         HubCore
///     CLibraries   module maps and the few C files
enum Layers {
    /// From the top down; a layer imports those after it.
    static let order = ["App", "Interfaces", "Services", "Adapters", "Core", "CLibraries"]

    /// What a target may import of its own layer.
    ///
    /// Targets not listed here import none.
    static let neighbours: [String: Set<String>] = [
        "csghub": ["HubCommands", "HubServer"],
        "HubCommands": ["HubServer"],
        "Portal": ["WebCore"],
        "HubAPI": ["WebCore"],
        "HuggingFaceAPI": ["WebCore"],
        // These plug their routes into the Hub API's table.
        "XetProtocol": ["WebCore", "HuggingFaceAPI"],
        "CSGHubAPI": ["WebCore", "HuggingFaceAPI"],
        "GitProtocols": ["WebCore"],
        "Repositories": ["Identity"],
    ]

    /// What every service may import of its own layer.
    static let sharedServices: Set<String> = ["Repositories", "Identity"]

    /// Packages and C modules that are one target's own business: nobody else imports them.
    static let owners: [String: Set<String>] = [
        "GRDB": ["MetadataStore"],
        "SQLite3": ["MetadataStore"],
        "CLibGit2": ["GitStore"],
        "CDeflate": ["GitStore"],
        "CBlake3": ["ObjectStore"],
        "CLZ4": ["ObjectStore", "BundleFormat"],
        "CArgon2": ["Identity"],
        "CLibSSH": ["SSHTransport"],
        "ArgumentParser": ["HubCommands", "csghub"],
        "NIOSSL": ["HubServer"],
        "Yams": ["HubServer"],
        "CYaml": ["ModelFormats"],
    ]

    /// Modules of HTTP, which services, adapters and the core do without.
    static let webModules: Set<String> = [
        "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOHTTP1", "NIOHTTPTypes", "NIOSSL",
    ]

    /// What `HubCore` may import.
    static let coreImports: Set<String> = ["Foundation", "FoundationEssentials", "Synchronization"]

    /// Why `target` of `layer` may not import `module`, or nil when it may.
    ///
    /// `layerOf` knows the project's own targets.
    static func objection(to module: String, in target: String, of layer: String, layerOf: [String: String]) -> String?
    {
        if let allowed = owners[module], !allowed.contains(target) {
            return "\(module) is imported by \(allowed.sorted().joined(separator: " and ")) only"
        }
        if webModules.contains(module), !["App", "Interfaces"].contains(layer) {
            return "\(layer) knows nothing of HTTP"
        }
        if target == "HubCore", !coreImports.contains(module) {
            return "HubCore imports Foundation only"
        }
        guard let other = layerOf[module], module != target else { return nil }
        guard let here = order.firstIndex(of: layer), let there = order.firstIndex(of: other) else {
            return "\(layer) or \(other) is no layer"
        }
        if there > here { return nil }
        if there < here { return "\(layer) is below \(other)" }
        if neighbours[target]?.contains(module) == true { return nil }
        if layer == "Services", sharedServices.contains(module), target != "Identity" { return nil }
        return "\(target) does not know its neighbour \(module)"
    }
}
