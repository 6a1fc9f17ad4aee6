//! How predictions are written: what the keys of `[sink]` and of its routes mean together.

use crate::format::{Form, Format, FormatName};
use crate::manifest::Manifest;
use crate::routes::Route;
use crate::sink_schema::SinkSchema;

impl Manifest {
    /// How predictions are written that no route takes.
    pub fn format(&self) -> Format {
        let sink = &self.sink;
        // With no topic they are dropped; routes have formats of their own.
        let name = sink.format.filter(|_| !sink.topic.is_empty()).unwrap_or(FormatName::Json);
        Format::new(Form {
            name,
            top: sink.top,
            template: sink.template.as_deref(),
            schema: sink.schema.as_ref(),
            topic: &sink.topic,
        })
    }

    /// How a route writes predictions, if not as `[sink]` does. A schema is that of a topic: where
    /// `[sink]` has one, a route has its own.
    pub fn route_format(&self, route: &Route) -> Option<Format> {
        let name = self.format_name(route);
        let form = Form {
            name,
            top: route.top,
            template: route.template.as_deref(),
            schema: self.route_schema(route),
            topic: &route.topic,
        };
        let Route { format, template, top, schema, .. } = route;
        match format.is_some() || template.is_some() || top.is_some() || schema.is_some() {
            true => Some(Format::new(form)),
            false if name.language().is_some() => {
                Some(Format::new(Form { top: self.sink.top, ..form }))
            }
            false => None,
        }
    }

    /// The format of a route, where it has no template.
    pub(crate) fn format_name(&self, route: &Route) -> FormatName {
        let inherited = self.sink.format.filter(|name| name.language().is_some());
        route.format.or(inherited).unwrap_or(FormatName::Json)
    }

    /// `schema` of a route, or else of `[sink]`.
    pub(crate) fn route_schema<'a>(&'a self, route: &'a Route) -> Option<&'a SinkSchema> {
        route.schema.as_ref().or(self.sink.schema.as_ref())
    }

    /// The schemas of `[schemas.files]` by which predictions are written.
    pub fn sink_files(&self) -> impl Iterator<Item = &str> {
        let routes = self.sink.routes.iter().map(|route| &route.schema);
        let all = [&self.sink.schema].into_iter().chain(routes).flatten();
        all.filter_map(|schema| schema.file.as_deref())
    }
}
