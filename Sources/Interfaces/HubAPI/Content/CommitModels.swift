import FoundationEssentials

/// A line of a commit that is sent: the first has `header`, each of the others one change.
package struct CommitLine: APIModel {
    package struct Header: Codable, Sendable {
        package var message: String
        package var description: String?
        /// The commit that the branch must be at; left out, the branch may be anywhere.
        package var parent: String?

        package init(message: String, description: String? = nil, parent: String? = nil) {
            self.message = message
            self.description = description
            self.parent = parent
        }
    }

    package struct File: Codable, Sendable {
        package var path: String
        /// Base64.
        package var content: String
        package var isExecutable: Bool?

        package init(path: String, content: String, isExecutable: Bool? = nil) {
            self.path = path
            self.content = content
            self.isExecutable = isExecutable
        }
    }

    package struct LargeFile: Codable, Sendable {
        package var path: String
        package var oid: String
        package var sizeBytes: Int64

        package init(path: String, oid: String, sizeBytes: Int64) {
            self.path = path
            self.oid = oid
            self.sizeBytes = sizeBytes
        }
    }

    package struct Deletion: Codable, Sendable {
        package var path: String

        package init(path: String) { self.path = path }
    }

    package var header: Header?
    package var file: File?
    package var lfsFile: LargeFile?
    package var delete: Deletion?

    package init(header: Header? = nil, file: File? = nil, lfsFile: LargeFile? = nil, delete: Deletion? = nil) {
        self.header = header
        self.file = file
        self.lfsFile = lfsFile
        self.delete = delete
    }

    package static var schema: Schema {
        .object(
            "CommitLine", "A line of a commit: `header` first, then one change a line.",
            [
                .optional(
                    "header",
                    .object(
                        "CommitHeader", "",
                        [
                            .required("message", .text(atMost: 1000), "The first line of the commit's message."),
                            .optional("description", .nullable(.text(atMost: 65_536)), "The rest of it."),
                            .optional(
                                "parent", .nullable(.text(atMost: 40)),
                                "The commit that the branch must be at; it may be at any unless told."),
                        ]), ""),
                .optional(
                    "file",
                    .object(
                        "CommitFile", "",
                        [
                            .required("path", .text(atMost: 4096), ""),
                            .required("content", .text, "Base64."),
                            .optional("is_executable", .nullable(.boolean), ""),
                        ]), "A small file with its content."),
                .optional(
                    "lfs_file",
                    .object(
                        "CommitLargeFile", "",
                        [
                            .required("path", .text(atMost: 4096), ""), .required("oid", .text(atMost: 64), ""),
                            .required("size_bytes", .count, ""),
                        ]), "A large file whose object was uploaded before."),
                .optional(
                    "delete", .object("CommitDeletion", "", [.required("path", .text(atMost: 4096), "")]),
                    "A file or folder that goes away."),
            ])
    }
}

/// A commit that was made.
package struct CommitModel: APIModel {
    package let commit: String
    package let branch: String

    package static var schema: Schema {
        .object(
            "Commit", "A commit that was made.",
            [.required("commit", .text, "Its id."), .required("branch", .text, "")])
    }
}
