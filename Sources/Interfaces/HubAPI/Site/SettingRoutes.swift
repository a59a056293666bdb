import HTTPTypes
import HubCore
import Identity

package struct SettingModel: APIModel {
    package let key: String
    package let value: String
    package let defaultValue: String
    package let description: String
    package let isOverridden: Bool

    init(_ setting: SiteSettingValue) {
        key = setting.key
        value = setting.value
        defaultValue = setting.defaultValue
        description = setting.description
        isOverridden = setting.isOverridden
    }

    package static var schema: Schema {
        .object(
            "Setting", "A setting of the site.",
            [
                .required("key", .text, "As in `anonymous-read`."),
                .required("value", .text, "Its present value."),
                .required("default_value", .text, ""),
                .required("description", .text, "What it does."),
                .required(
                    "is_overridden", .boolean, "A flag or the configuration file decides, not the value set here."),
            ])
    }
}

package struct SettingValueModel: APIModel {
    package let value: String

    package init(value: String) { self.value = value }

    package static var schema: Schema {
        .object("SettingValue", "A new value.", [.required("value", .text(atMost: 4096), "")])
    }
}

/// Settings of the site that are kept in the database.
struct SettingRoutes {
    let identity: Identity

    var routes: [APIRoute] {
        [
            .answering(
                .get, "/settings", "listSettings", "Lists the settings with their values.", query: APIParameter.paging
            ) { [identity] call in
                ListPage(items: try await identity.siteSettings(by: call.principal).map(SettingModel.init), next: nil)
            },
            .answering(.get, "/settings/{key}", "getSetting", "Returns a setting.") { [identity] call in
                SettingModel(try await identity.siteSetting(call.path("key"), by: call.principal))
            },
            .taking(.put, "/settings/{key}", "setSetting", "Changes a setting.") { [identity] call, body in
                let value = (body as SettingValueModel).value
                return SettingModel(try await identity.setSiteSetting(call.path("key"), to: value, by: call.caller))
            },
            .answering(.delete, "/settings/{key}", "resetSetting", "Takes a setting back to its default.") {
                [identity] call in
                SettingModel(try await identity.setSiteSetting(call.path("key"), to: nil, by: call.caller))
            },
        ]
    }
}
