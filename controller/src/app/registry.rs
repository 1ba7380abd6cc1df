//! Apps by name.

use super::App;

/// Makes one core's instance of an app; called once for every core, with its number.
pub type AppFactory = Box<dyn Fn(usize) -> Box<dyn App> + Send + Sync>;

/// The apps that can be asked for by name.
#[derive(Default)]
pub struct AppRegistry {
    apps: Vec<(&'static str, &'static str, AppFactory)>,
}

/// No app has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no app `{name}`; there are: {}", .known.join(", "))]
pub struct UnknownApp {
    /// The name asked for.
    pub name: String,
    /// The names that there are.
    pub known: Vec<&'static str>,
}

impl AppRegistry {
    /// No apps.
    pub fn new() -> AppRegistry {
        AppRegistry::default()
    }

    /// Adds an app under a name, with a line that says what it does. A name taken before is replaced.
    pub fn register<A: App + 'static>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(usize) -> A + Send + Sync + 'static,
    ) -> &mut Self {
        self.apps.retain(|(n, ..)| *n != name);
        self.apps.push((name, about, Box::new(move |core| Box::new(make(core)))));
        self
    }

    /// Names and descriptions, in the order they were registered.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.apps.iter().map(|(name, about, _)| (*name, *about))
    }

    /// Takes an app out.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn take(&mut self, name: &str) -> Result<(&'static str, AppFactory), UnknownApp> {
        let at = self.apps.iter().position(|(n, ..)| *n == name).ok_or_else(|| UnknownApp {
            name: name.to_owned(),
            known: self.apps.iter().map(|(n, ..)| *n).collect(),
        })?;
        let (name, _, make) = self.apps.remove(at);
        Ok((name, make))
    }
}

impl std::fmt::Debug for AppRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.apps.iter().map(|(n, ..)| n)).finish()
    }
}
