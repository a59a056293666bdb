import HubCore

/// A large object by name and size.
package struct ObjectModel: APIModel {
    package let oid: String
    package let sizeBytes: Int64

    package init(oid: String, sizeBytes: Int64) {
        self.oid = oid
        self.sizeBytes = sizeBytes
    }

    package static var schema: Schema {
        .object(
            "Object", "A large object.",
            [.required("oid", .text(atMost: 64), "Its SHA-256 in hex."), .required("size_bytes", .count, "")])
    }
}

package struct ObjectListModel: APIModel {
    package let objects: [ObjectModel]

    package init(objects: [ObjectModel]) { self.objects = objects }

    package static var schema: Schema {
        .object(
            "ObjectList", "Large objects.", [.required("objects", .array(ObjectModel.schema, maximumCount: 1000), "")])
    }
}

/// A line of the check of all objects.
package struct ObjectCheckLine: APIModel {
    package enum Event: String, Codable, Sendable, CaseIterable {
        case progress, problem, summary
    }

    package enum Defect: String, Codable, Sendable, CaseIterable {
        /// A row says that it is there, and no file is.
        case missing
        /// The file has another size than the row says.
        case size
        /// The bytes do not have the hash that names them.
        case damaged
        /// The file cannot be read.
        case unreadable
    }

    package let event: Event
    /// Of this run so far.
    package let checkedObjects: Int64
    package let checkedBytes: Int64
    package let problemObjects: Int64
    package let checkedXorbs: Int64
    @OrNull package var oid: String? = nil
    @OrNull package var xorb: String? = nil
    @OrNull package var defect: Defect? = nil
    @OrNull package var message: String? = nil

    package static var schema: Schema {
        .object(
            "ObjectCheckLine", "A line of a check of the stored objects. The last one has the event `summary`.",
            [
                .required("event", .words(of: Event.self), ""),
                .required("checked_objects", .count, "So far."),
                .required("checked_bytes", .count, "Read and hashed so far."),
                .required("problem_objects", .count, "So far, xorbs included."),
                .required("checked_xorbs", .count, "So far; they come after the objects."),
                .required("oid", .nullable(.text), "Of a problem of an object."),
                .required("xorb", .nullable(.text), "Of a problem of a xorb."),
                .required("defect", .nullable(.words(of: Defect.self)), "Of a problem."),
                .required("message", .nullable(.text), "Of a problem, for people."),
            ])
    }
}
