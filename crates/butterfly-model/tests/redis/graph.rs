//! The graph.

use std::collections::BTreeSet;

use butterfly_model::redis::{Graph, RedisError, Term};

use super::on_both;

#[tokio::test]
async fn triples_are_found_by_any_part() {
    on_both(async |redis| {
        let graph = Graph::new(&redis, "a}{\n");
        let triples = [
            ("ann", "knows", "bob"),
            ("ann", "likes", "bob"),
            ("bob", "knows", "ann"),
            ("an", "knows", "b\0}{"),
        ];
        assert_eq!(graph.add(triples).await.unwrap(), 4);
        assert_eq!((graph.add(triples).await.unwrap(), graph.add([]).await.unwrap()), (0, 0));
        assert_eq!(graph.len().await.unwrap(), 4);
        let parts = |triple: (&'static str, &'static str, &'static str), mask: u8| {
            let part = |bit, text| (mask & bit != 0).then_some(text);
            (part(1, triple.0), part(2, triple.1), part(4, triple.2))
        };
        // Every pattern of every triple, and of one that is not there, against a plain search.
        for triple in triples.into_iter().chain([("bob", "likes", "ann"), ("", "", "")]) {
            for mask in 0..8 {
                let (s, p, o) = parts(triple, mask);
                let found = graph.find(s, p, o, 100).await.unwrap();
                let found: BTreeSet<_> =
                    found.iter().map(|it| (&*it.subject, &*it.predicate, &*it.object)).collect();
                let fits = |known: Option<&str>, text| known.is_none_or(|known| known == text);
                let right: BTreeSet<_> = triples
                    .into_iter()
                    .filter(|it| fits(s, it.0) && fits(p, it.1) && fits(o, it.2))
                    .collect();
                assert_eq!(found, right, "{s:?} {p:?} {o:?}");
            }
        }
        assert_eq!(graph.find(None, None, None, 3).await.unwrap().len(), 3);
        assert!(graph.find(None, None, None, 0).await.unwrap().is_empty());
        assert!(graph.contains("an", "knows", "b\0}{").await.unwrap());
        assert!(graph.remove("ann", "knows", "bob").await.unwrap());
        assert!(!graph.remove("ann", "knows", "bob").await.unwrap());
        assert!(!graph.contains("ann", "knows", "bob").await.unwrap());
        assert!(graph.delete().await.unwrap() && graph.is_empty().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn variables_join_conditions() {
    on_both(async |redis| {
        let graph = Graph::new(&redis, "people");
        graph
            .add([
                ("ann", "knows", "bob"),
                ("ann", "knows", "cem"),
                ("bob", "knows", "dia"),
                ("cem", "knows", "cem"),
                ("cem", "knows", "dia"),
                ("dia", "lives in", "Ulm"),
                ("bob", "lives in", "Bonn"),
            ])
            .await
            .unwrap();
        let (is, x, y, z) = (Term::is, Term::var("x"), Term::var("y"), Term::var("z"));
        let search = async |conditions: &[(Term<'_>, Term<'_>, Term<'_>)]| {
            let found = graph.search(conditions, 100).await.unwrap();
            found
                .into_iter()
                .map(|one| one.into_values().collect::<Vec<_>>().join(" "))
                .collect::<BTreeSet<_>>()
        };
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        let path = [(x, is("knows"), y), (y, is("knows"), z), (z, is("lives in"), is("Ulm"))];
        assert_eq!(search(&path).await, set(&["ann bob dia", "ann cem dia", "cem cem dia"]));
        assert_eq!(search(&[(x, is("knows"), x)]).await, set(&["cem"]));
        assert_eq!(search(&[(is("ann"), y, x), (x, is("lives in"), z)]).await, set(&["bob knows Bonn"]));
        assert_eq!(search(&[(x, is("knows"), y), (y, is("knows"), x)]).await, set(&["cem cem"]));
        assert_eq!(
            search(&[(is("ann"), is("knows"), is("bob")), (x, is("lives in"), is("Ulm"))]).await,
            set(&["dia"])
        );
        assert_eq!(
            search(&[(is("ann"), is("knows"), is("eve")), (x, is("lives in"), is("Ulm"))]).await,
            set(&[])
        );
        assert_eq!(search(&[(is("ann"), is("knows"), is("bob"))]).await, set(&[""]));
        assert_eq!(graph.search(&path, 2).await.unwrap().len(), 2);
        assert!(matches!(graph.search(&[], 9).await, Err(RedisError::Invalid(_))));
        assert!(graph.search(&vec![(x, x, x); 33], 9).await.is_err());
    })
    .await;
}
