//! Which component answers a path: `/exact`, `/:named`, `/prefix/...`. The most specific route wins.

use std::borrow::Cow;
use std::fmt;

use anyhow::{Result, anyhow};
use indexmap::IndexMap;
use routefinder::{Match, RouteSpec};

/// What a route leads to.
#[derive(Debug)]
struct Target {
    component: String,
    route: String,
    /// With a leading slash and without a trailing one.
    absolute: String,
}

/// The routes of an application.
#[derive(Debug)]
pub struct Router(routefinder::Router<Target>);

/// A path that has met its route.
pub struct RouteMatch<'a> {
    found: Match<'a, 'a, Target>,
    path: &'a str,
}

impl Router {
    /// Reads the routes of `(component, route)` pairs. Of two equal routes the later one counts, as in Spin.
    ///
    /// # Errors
    ///
    /// When a route cannot be read.
    pub fn new<'a>(triggers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut targets: IndexMap<&str, Target> = IndexMap::new();
        for (component, route) in triggers {
            let target = Target { component: component.to_owned(), route: route.to_owned(), absolute: absolute(route) };
            if let Some(unused) = targets.insert(route, target) {
                tracing::error!("the route {route} of {} is also {component}'s and never reached", unused.component);
            }
            if absolute(route).starts_with(crate::service::WELL_KNOWN) {
                tracing::error!("the route {route} is the host's own and never reached");
            }
        }
        let mut router = routefinder::Router::new();
        for target in targets.into_values() {
            let pattern = match target.absolute.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => target.absolute.clone(),
            };
            let spec: RouteSpec =
                pattern.parse().map_err(|e| anyhow!("the route {} of {}: {e}", target.route, target.component))?;
            router.add(spec, target).map_err(|e| anyhow!("{e}"))?;
        }
        Ok(Self(router))
    }

    /// The route for a path.
    pub fn route<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let found = self.0.best_match(path)?;
        Some(RouteMatch { found, path })
    }

    /// Each route as Spin shows it, with its component.
    pub fn shown(&self) -> impl Iterator<Item = (impl fmt::Display, &str)> {
        self.0.iter().map(|(_, target)| {
            let route = &target.absolute;
            let shown = match route.strip_suffix("/...").or_else(|| route.strip_suffix("/*")) {
                Some(prefix) => format!("{prefix} (wildcard)"),
                None => route.clone(),
            };
            (shown, target.component.as_str())
        })
    }
}

impl RouteMatch<'_> {
    /// The component's id.
    pub fn component(&self) -> &str {
        &self.found.handler().component
    }

    /// The route, absolute.
    pub fn absolute(&self) -> &str {
        &self.found.handler().absolute
    }

    /// The route as the manifest has it.
    pub fn raw(&self) -> &str {
        &self.found.handler().route
    }

    /// The route as the manifest has it, less `/...`.
    pub fn raw_prefix(&self) -> &str {
        self.raw().strip_suffix("/...").unwrap_or(self.raw())
    }

    /// What the `:named` segments stand for.
    pub fn named(&self) -> Vec<(String, String)> {
        self.found.captures().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What `...` stands for: nothing, or a path that begins with a slash and keeps the last one.
    pub fn rest(&self) -> Cow<'static, str> {
        match self.found.captures().wildcard() {
            None => "".into(),
            Some(rest) => match (rest.is_empty(), self.path.ends_with('/')) {
                (true, false) => "".into(),
                (true, true) => "/".into(),
                (false, false) => format!("/{rest}").into(),
                (false, true) => format!("/{rest}/").into(),
            },
        }
    }
}

fn absolute(route: &str) -> String {
    let route = route.strip_suffix('/').unwrap_or(route);
    match route.strip_prefix('/') {
        Some(_) => route.to_owned(),
        None if route.is_empty() => String::new(),
        None => format!("/{route}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(routes: &[(&str, &str)], path: &str) -> Option<String> {
        let router = Router::new(routes.iter().copied()).unwrap();
        router.route(path).map(|found| found.component().to_owned())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = [("all", "/..."), ("api", "/api/..."), ("one", "/api/one"), ("named", "/api/:id")];
        for (path, expected) in [
            ("/", "all"),
            ("/x/y", "all"),
            ("/api", "api"),
            ("/api/a/b", "api"),
            ("/api/one", "one"),
            ("/api/two", "named"),
        ] {
            assert_eq!(component(&routes, path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn without_a_catch_all_a_path_may_match_nothing() {
        assert_eq!(component(&[("one", "/one")], "/two"), None);
        assert_eq!(component(&[("one", "/one")], "/one/more"), None);
        assert_eq!(component(&[("one", "one")], "/one").as_deref(), Some("one"));
        assert_eq!(component(&[("root", "/")], "/").as_deref(), Some("root"));
    }

    #[test]
    fn the_rest_keeps_its_slashes() {
        let router = Router::new([("c", "/base/:user/...")]).unwrap();
        for (path, rest) in [("/base/7", ""), ("/base/7/", "/"), ("/base/7/a/b", "/a/b"), ("/base/7/a/", "/a/")] {
            let found = router.route(path).unwrap();
            assert_eq!(found.rest(), rest, "{path}");
            assert_eq!(found.named(), [("user".to_owned(), "7".to_owned())]);
            assert_eq!(found.raw_prefix(), "/base/:user");
        }
    }

    #[test]
    fn of_equal_routes_the_later_counts() {
        assert_eq!(component(&[("a", "/x"), ("b", "/x")], "/x").as_deref(), Some("b"));
    }
}
