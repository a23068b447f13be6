//! Full-text search, and titles that are found while they are typed.

use butterfly_model::redis::{Autocomplete, FullText, Json, cmd};

use super::on_both;

#[tokio::test]
async fn documents_are_found_by_their_words_the_best_first() {
    on_both(async |redis| {
        let texts = FullText::<Json<u32>>::new(&redis, "a}{\n");
        let documents = [
            ("short", "Redis queues"),
            ("twice", "A queue and another queue, in Redis"),
            ("long", "Redis is often described as a store of structures, of which a queue is only one of very many"),
            ("other", "Nothing of the kind"),
            ("中", "用中文写的文档，讲全文检索"),
            ("}{\n", "queues' names: {a}"),
        ];
        for (number, (id, text)) in documents.iter().enumerate() {
            assert!(texts.put(id, text, &Json(number as u32)).await.unwrap());
        }
        assert!(!texts.put("short", "Redis queues", &Json(7)).await.unwrap());
        assert_eq!(texts.len().await.unwrap(), 6);
        let ids = async |query: &str| -> Vec<String> {
            texts.search(query, 0, 10).await.unwrap().found.into_iter().map(|hit| hit.id).collect()
        };
        assert_eq!(ids("REDIS queue").await, ["short", "twice", "long"]);
        assert_eq!(ids("queue").await[0], "twice");
        assert_eq!(ids("redis NOT stores").await, ["short", "twice"]);
        assert_eq!(ids("检索 OR 写").await, ["中"]);
        assert_eq!(ids("文检").await, ["中"]);
        assert_eq!(ids("写文").await, [""; 0]);
        assert_eq!(ids("name").await, ["}{\n"]);
        assert_eq!(ids("a the").await, [""; 0]);
        assert_eq!(ids("unknown OR kinds").await, ["other"]);
        let page = texts.search("redis", 1, 1).await.unwrap();
        assert_eq!((page.total, page.found.len()), (3, 1));
        let first = &texts.search("redis", 0, 1).await.unwrap().found[0];
        assert!(first.score > page.found[0].score && page.found[0].score > 0.0);
        assert_eq!(texts.search("queue short redis OR redis", 0, 9).await.unwrap().total, 3);
        assert_eq!(texts.search("other OR names", 0, 9).await.unwrap().found[0].kept, Json(5));
        texts.put("short", "changed", &Json(1)).await.unwrap();
        assert_eq!(ids("redis").await, ["twice", "long"]);
        for (id, _) in documents {
            assert!(texts.remove(id).await.unwrap() && !texts.remove(id).await.unwrap());
        }
        assert!(texts.is_empty().await.unwrap());
        let place = format!("{}:text:{{a%7D%7B%0A}}", redis.options().prefix);
        let left: u64 = redis.query(cmd("EXISTS").arg(format!("{place}:length"))).await.unwrap();
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test]
async fn titles_are_found_while_they_are_typed() {
    on_both(async |redis| {
        let titles = Autocomplete::<Json<u32>>::new(&redis, "a}{\n");
        let all = [
            ("1", "New York", 8.0),
            ("2", "Newark", 0.3),
            ("3", "York", 0.2),
            ("}{\n\0", "北京市 Beijing", 21.0),
        ];
        for (number, (id, title, weight)) in all.into_iter().enumerate() {
            assert!(titles.put(id, title, weight, &Json(number as u32)).await.unwrap());
        }
        let search = async |text: &str| -> Vec<String> {
            titles.search(text, 10).await.unwrap().into_iter().map(|found| found.title).collect()
        };
        assert_eq!(search("n").await, ["New York", "Newark"]);
        assert_eq!(search("YO NE").await, ["New York"]);
        assert_eq!(search("york").await, ["New York", "York"]);
        assert_eq!(search("京").await, ["北京市 Beijing"]);
        assert_eq!(search("京市 bei").await, ["北京市 Beijing"]);
        assert_eq!(search("北市").await, [""; 0]);
        assert_eq!(search("ork").await, [""; 0]);
        assert_eq!(search("").await, [""; 0]);
        assert_eq!(search("[+").await, [""; 0]);
        let first = titles.search("n", 1).await.unwrap();
        assert_eq!((first.len(), &*first[0].id, first[0].kept), (1, "1", Json(0)));
        assert_eq!(titles.search("bei", 1).await.unwrap()[0].id, "}{\n\0");
        assert!(!titles.put("2", "Ulm", 0.1, &Json(7)).await.unwrap());
        assert_eq!((search("newark").await, search("u").await), (vec![], vec!["Ulm".to_owned()]));
        assert!(titles.put("5", "--", 1.0, &Json(0)).await.is_err());
        assert!(titles.put("5", "x", f64::NAN, &Json(0)).await.is_err());
        assert_eq!(titles.len().await.unwrap(), 4);
        for (id, ..) in all {
            assert!(titles.remove(id).await.unwrap() && !titles.remove(id).await.unwrap());
        }
        assert!(titles.is_empty().await.unwrap());
        let words = format!("{}:complete:{{a%7D%7B%0A}}:words", redis.options().prefix);
        assert_eq!(redis.query::<u64>(cmd("EXISTS").arg(words)).await.unwrap(), 0);
    })
    .await;
}
